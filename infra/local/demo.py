"""What makes a new local cloud usable at once: Twilio credentials, tenants, and one call to show that it works."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
from pathlib import Path
from typing import Any

from . import aws, operate, outcome, owners, stripe
from .console import Stop, say, step
from .settings import ROOT, STACK_NAME, Settings, target_dir

TENANTS = Path(__file__).with_name("demo-tenants.json")


# Reserved for fiction, as all that end in 555-01xx. A number that no tenant has of its own is shared by all.
SHARED_NUMBER = "+18665550100"
# Whose shop the stand-ins show.
SHOPKEEPER = "blue-harbor"


def orders() -> list[dict[str, Any]]:
    """What `jobs-provision-tenant` is asked for: the operator's own account, and the tenants."""
    listed: list[dict[str, Any]] = json.loads(TENANTS.read_text())
    return listed


def tenants() -> list[dict[str, Any]]:
    return [order["tenant"] for order in orders() if "tenant" in order]


def twilio(settings: Settings) -> dict[str, str]:
    """This cloud's own made-up account: `AC` and 32 digits, as Twilio's are, and a token."""
    if settings.twilio_json.exists():
        known: dict[str, str] = json.loads(settings.twilio_json.read_text())
        return known
    settings.home.mkdir(parents=True, exist_ok=True)
    # The readable beginning tells a person who finds it in a log that it opens nothing.
    account = {"account_sid": "ACdecafc0ffee" + secrets.token_hex(11)[:21], "auth_token": secrets.token_hex(16)}
    settings.twilio_json.write_text(json.dumps(account))
    return account


def with_shop(order: dict[str, Any], settings: Settings) -> dict[str, Any]:
    """The order, with the first business's shop among the sites that its form is accepted from."""
    tenant = order.get("tenant")
    if tenant is None or tenant["slug"] != SHOPKEEPER:
        return order
    codes = [code | {"origins": [settings.shop_origin]} for code in tenant["service-codes"]]
    return {"tenant": tenant | {"service-codes": codes}}


def with_customer(order: dict[str, Any], customers: dict[str, str]) -> dict[str, Any]:
    """The order, with who the tenant is at the Stripe stand-in."""
    tenant = order.get("tenant")
    return {"tenant": tenant | {"stripe-customer": customers[tenant["slug"]]}} if tenant else order


def provision(settings: Settings) -> None:
    """Put the credentials into the secret, set the tenants up, and have their owners accept their invitations. All of
    it can be done again and changes nothing."""
    account = twilio(settings)
    _verify_sender(settings)
    secret = aws.outputs(aws.local(settings, "cloudformation"), STACK_NAME)["TwilioSecret"]
    with step("Setting up the Stripe stand-in"):
        stripe.settle(settings)
        customers = stripe.customers(settings, {tenant["slug"]: tenant["profile"]["name"] for tenant in tenants()})
    with step("Setting up the demo tenants"):
        operate.put_secret(aws.local(settings, "secretsmanager"), secret, account)
        client = aws.local(settings, "lambda")
        wanted = [with_customer(with_shop(order, settings), customers) for order in orders()]
        done = [(order.get("tenant", {}), operate.provision(client, STACK_NAME, order)) for order in wanted]
    owners.settle(
        settings,
        {
            tenant["slug"]: (tenant["owner"], result.get("invitation"))
            for tenant, result in done
            if "owner" in tenant
        },
    )


def _verify_sender(settings: Settings) -> None:
    """What an operator does once in SES: without it the address that mail comes from may not send."""
    stack = aws.local(settings, "cloudformation").describe_stacks(StackName=STACK_NAME)["Stacks"][0]
    sender = {parameter["ParameterKey"]: parameter["ParameterValue"] for parameter in stack["Parameters"]}["MailFrom"]
    ses = aws.local(settings, "sesv2")
    try:
        ses.create_email_identity(EmailIdentity=sender)
    except ses.exceptions.AlreadyExistsException:
        pass


def call(settings: Settings) -> None:
    """Place one call with the text telephone, in the open: what was said, and what came of it."""
    phone = target_dir() / "debug" / "phone"
    if not phone.exists():
        raise Stop(f"{phone} is missing.", "Build it: cargo build -p phone")
    call_file = settings.home / "demo-call.json"
    call_file.unlink(missing_ok=True)
    with step("Placing a demonstration call"):
        environment = {**os.environ, "OPTLINE_STACK": str(settings.stack_json)}
        if (
            subprocess.run([str(phone), "demo", "--call-file", str(call_file)], cwd=ROOT, env=environment).returncode
            != 0
        ):
            raise Stop("The demonstration call failed.", "The functions' own words: make logs FN=voice-answer")
    outcome.show(settings, call_file)


def invitation(settings: Settings) -> None:
    """What to open, dial and do next."""
    say(f"\nThe local cloud is up at {settings.base_url} (AWS at {settings.endpoint}).\n")
    codes = {code["code"]: code["name"] for tenant in tenants() for code in tenant["service-codes"]}
    listed = "; ".join(f"{code}# {name}" for code, name in codes.items())
    say(f"  {SHARED_NUMBER}  the shared number; service codes {listed}")
    for number in (number for tenant in tenants() for number in tenant["numbers"]):
        say(f"  {number['number']}  goes straight to {codes[number['service-code']]}")
    say(
        f"\n  A shop with the form in its page: {settings.shop_origin}/shop"
        f"\n  The same on a site that is not listed, which is refused: "
        f"{settings.shop_origin.replace('blue-harbor', 'unlisted')}/shop/privacy"
        f"\n  Mail and text messages: {settings.standins_url}/mailbox"
        f"\n  What was billed, at Stripe: {settings.standins_url}/stripe"
    )
    credentials(settings)
    say(
        "\n  make call                  be the caller, by keys alone"
        "\n  make logs FN=voice-answer  what that step logged"
        "\n  make tenant NAME=… EMAIL=… one more business, and its owner's invitation"
        "\n  make test                  all tests, on a cloud of their own"
        "\n  make down                  stop; the data stays (make up FRESH=1 starts over)\n"
        f"\n  Everything a program needs to find: {settings.stack_json}"
    )


def credentials(settings: Settings) -> None:
    """Where the dashboard is, and who can sign in."""
    owners.show(settings, {tenant["slug"]: tenant["profile"]["name"] for tenant in tenants()})
