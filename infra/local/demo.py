"""What makes a new local cloud usable at once: Twilio credentials, tenants, and one call to show that it works."""

from __future__ import annotations

import json
import os
import re
import secrets
import subprocess
import time
from pathlib import Path
from typing import Any

from . import aws, operate
from .console import Stop, say, step
from .settings import ROOT, STACK_NAME, Settings, target_dir

TENANTS = Path(__file__).with_name("demo-tenants.json")


# Reserved for fiction, as all that end in 555-01xx. A number that no tenant has of its own is shared by all.
SHARED_NUMBER = "+18665550100"


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


def provision(settings: Settings) -> None:
    """Put the credentials into the secret and set the tenants up. Both can be done again and change nothing."""
    account = twilio(settings)
    secret = aws.outputs(aws.local(settings, "cloudformation"), STACK_NAME)["TwilioSecret"]
    with step("Setting up the demo tenants"):
        operate.put_secret(aws.local(settings, "secretsmanager"), secret, account)
        client = aws.local(settings, "lambda")
        for order in orders():
            operate.provision(client, STACK_NAME, order)


def call(settings: Settings) -> None:
    """Place one call with the text telephone, in the open: what was said, and what came of it."""
    phone = target_dir() / "debug" / "phone"
    if not phone.exists():
        raise Stop(f"{phone} is missing.", "Build it: cargo build -p phone")
    with step("Placing a demonstration call"):
        environment = {**os.environ, "OPTLINE_STACK": str(settings.stack_json)}
        heard = ""
        with subprocess.Popen(
            [str(phone), "demo"], cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True
        ) as demo:
            for line in demo.stdout or ():
                say(line.rstrip())
                heard += line
        if demo.returncode != 0:
            raise Stop("The demonstration call failed.", "The functions' own words: make logs FN=voice-answer")
    _show_rows(settings, heard)


def _show_rows(settings: Settings, heard: str) -> None:
    """The request and the usage row that came of the call, as they are stored."""
    reference, call_sid = re.search(r"Reference number: (\d+)", heard), re.search(r"CA[0-9a-f]{32}", heard)
    if not reference or not call_sid:
        return
    stack = json.loads(settings.stack_json.read_text())
    dynamodb = aws.local(settings, "dynamodb")
    for table, key in (("requests", reference[1]), ("usage", call_sid[0])):
        deadline = time.monotonic() + 15
        while not (item := _find(dynamodb, stack["tables"][table], key)):
            if time.monotonic() > deadline:
                raise Stop(f"The call left no row in the table {table}.", "Look at make logs FN=jobs-record-usage")
            time.sleep(0.2)
        say(f"\n  In the table {table}:")
        for name in sorted(item):
            say(f"    {name:<18} {_shown(item[name])}")


def _find(dynamodb: Any, table: str, sort_key: str) -> dict[str, Any]:
    # A scan, which no function may do: on a developer's machine it asks for no tenant.
    found = dynamodb.scan(
        TableName=table,
        FilterExpression="sk = :sk",
        ExpressionAttributeValues={":sk": {"S": sort_key}},
        ConsistentRead=True,
    )
    return dict(found["Items"][0]) if found["Items"] else {}


def _shown(value: dict[str, Any]) -> str:
    """A stored value for people; what is sealed is told from what is not."""
    kind, content = next(iter(value.items()))
    if kind == "B":
        return f"({len(content)} bytes, sealed)"
    if kind == "L":
        return "; ".join(_shown(entry) for entry in content) or "–"
    if kind == "M":
        return ", ".join(f"{name} {_shown(entry)}" for name, entry in sorted(content.items()))
    return str(content)


def invitation(settings: Settings) -> None:
    """What to open, dial and do next."""
    say(f"\nThe local cloud is up at {settings.base_url} (AWS at {settings.endpoint}).\n")
    codes = {code["code"]: code["name"] for tenant in tenants() for code in tenant["service-codes"]}
    listed = "; ".join(f"{code}# {name}" for code, name in codes.items())
    say(f"  {SHARED_NUMBER}  the shared number; service codes {listed}")
    for number in (number for tenant in tenants() for number in tenant["numbers"]):
        say(f"  {number['number']}  goes straight to {codes[number['service-code']]}")
    say(
        "\n  make call                  be the caller, by keys alone"
        "\n  make logs FN=voice-answer  what that step logged"
        "\n  make test                  all tests, on a cloud of their own"
        "\n  make down                  stop; the data stays (make up FRESH=1 starts over)\n"
        f"\n  Everything a program needs to find: {settings.stack_json}"
    )
