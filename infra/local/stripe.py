"""The Stripe account of the local cloud, in the stand-in: made-up credentials, two meters, a customer for each demo
tenant, and where it reports to.

The stand-in forgets when its process ends. So this is done at every start: what is missing there is made anew, and the
secret says what it is called now.
"""

from __future__ import annotations

import json
import secrets
import urllib.error
import urllib.request
from typing import Any
from urllib.parse import urlencode

from . import aws, operate
from .settings import STACK_NAME, Settings

# The version that `partners::stripe` asks for, and that the stand-in knows.
VERSION = "2026-10-28.endive"

METERS = {"calls": ("optline_calls", "Calls"), "minutes": ("optline_minutes", "Billed minutes")}


def credentials(settings: Settings) -> dict[str, Any]:
    """This cloud's own key and webhook secret; their beginnings tell a person who finds one in a log what it is."""
    if settings.stripe_json.exists():
        known: dict[str, Any] = json.loads(settings.stripe_json.read_text())
        return known
    settings.home.mkdir(parents=True, exist_ok=True)
    made = {
        "secret_key": "sk_test_" + secrets.token_hex(16),
        "webhook_secrets": ["whsec_test_" + secrets.token_hex(16)],
    }
    settings.stripe_json.write_text(json.dumps(made))
    return made


def ask(settings: Settings, path: str, form: dict[str, str] | None = None) -> Any:
    """One request to the stand-in as our account; a POST where there is a form."""
    headers = {"Authorization": f"Bearer {credentials(settings)['secret_key']}", "Stripe-Version": VERSION}
    body = urlencode(form).encode() if form is not None else None
    request = urllib.request.Request(f"{settings.standins_url}{path}", data=body, headers=headers)
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.loads(answer.read())


def settle(settings: Settings) -> None:
    """Set the account up and tell the functions. All of it can be done again and changes nothing."""
    there = {meter["event_name"]: meter["id"] for meter in ask(settings, "/v1/billing/meters?limit=100")["data"]}
    meters = {}
    for meter, (event_name, display_name) in METERS.items():
        if event_name not in there:
            form = {"event_name": event_name, "display_name": display_name, "default_aggregation[formula]": "sum"}
            there[event_name] = ask(settings, "/v1/billing/meters", form)["id"]
        meters[meter] = {"event_name": event_name, "id": there[event_name]}
    known = credentials(settings)
    stack = aws.outputs(aws.local(settings, "cloudformation"), STACK_NAME)
    operate.put_stripe_secret(aws.local(settings, "secretsmanager"), stack["StripeSecret"], known | {"meters": meters})
    _report_to(settings, {"url": f"{settings.base_url}/webhooks/stripe", "secrets": known["webhook_secrets"]})


def customers(settings: Settings, tenants: dict[str, str]) -> dict[str, str]:
    """A customer for each tenant, by its short name: the one of before while the stand-in knows it, else a new one."""
    kept = settings.home / "stripe-customers.json"
    before: dict[str, str] = json.loads(kept.read_text()) if kept.exists() else {}
    now = {slug: before[slug] for slug in tenants if slug in before and _is_there(settings, before[slug])}
    now |= {slug: ask(settings, "/v1/customers", {"name": name})["id"] for slug, name in tenants.items() if slug not in now}
    kept.write_text(json.dumps(now))
    return now


def _is_there(settings: Settings, customer: str) -> bool:
    try:
        return not ask(settings, f"/v1/customers/{customer}").get("deleted", False)
    except urllib.error.HTTPError as refused:
        if refused.code != 404:
            raise
        return False


def _report_to(settings: Settings, webhook: dict[str, Any]) -> None:
    url = f"{settings.standins_url}/_standin/stripe/settings"
    with urllib.request.urlopen(url, timeout=10) as answer:
        before = json.loads(answer.read())
    after = before | {"webhook": webhook}
    if after != before:
        body, headers = json.dumps(after).encode(), {"Content-Type": "application/json"}
        urllib.request.urlopen(urllib.request.Request(url, data=body, headers=headers), timeout=10).close()
