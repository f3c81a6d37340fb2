"""What an operator does to a running stack, the local one or one on AWS: secret, tenants, logs, replay."""

from __future__ import annotations

import getpass
import json
import re
import time
import unicodedata
import urllib.request
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import boto3
import tomlkit

from . import aws
from .console import Stop, say
from .settings import ROOT, STACK_NAME, Settings

SAMCONFIG = ROOT / "samconfig.toml"


class Target:
    """Where a command goes: the local cloud, or an environment of samconfig.toml with the operator's credentials."""

    def __init__(self, settings: Settings, env: str | None) -> None:
        # None where it goes to an account of AWS.
        self.local = None if env else settings
        self.stack_name = STACK_NAME
        self.client: Callable[[str], Any] = lambda service: aws.local(settings, service)
        if env:
            parameters = environment(env)
            session: Any = boto3.Session(region_name=parameters.get("region"), profile_name=parameters.get("profile"))
            self.stack_name = parameters["stack_name"]
            self.client = session.client

    def output(self, name: str) -> str:
        return aws.outputs(self.client("cloudformation"), self.stack_name)[name]


def environment(env: str) -> dict[str, Any]:
    """One environment's `deploy` parameters in samconfig.toml."""
    config = tomlkit.parse(SAMCONFIG.read_text()).unwrap()
    known = sorted(name for name, section in config.items() if isinstance(section, dict))
    if env not in known:
        raise Stop(f"samconfig.toml has no environment {env}.", f"Name one of {', '.join(known)}, or add a section.")
    parameters: dict[str, Any] = config[env]["deploy"]["parameters"]
    return parameters


# ── The secret ────────────────────────────────────────────────────────────────────────────────────────────────────


def put_secret(client: Any, secret: str, account: dict[str, str]) -> None:
    """Write the account into the Twilio secret and keep the rest. A token that is replaced stays accepted, because
    Twilio signs with the old one until the change has reached all its servers; the next replacement drops it."""
    values = json.loads(client.get_secret_value(SecretId=secret)["SecretString"])
    before, old = dict(values), values["auth_token"]
    if old and old != account["auth_token"]:
        values["previous_auth_tokens"] = [old]
    values |= account
    if values != before:
        client.put_secret_value(SecretId=secret, SecretString=json.dumps(values))


def ask_secret(target: Target) -> None:
    """`make secret`: asked for on the terminal, so that neither shell history nor process list sees the token."""
    account = {"account_sid": input("Twilio account SID (AC…): ").strip()}
    account["auth_token"] = getpass.getpass("Twilio auth token: ").strip()
    if not (account["account_sid"].startswith("AC") and len(account["account_sid"]) == 34 and account["auth_token"]):
        raise Stop("That is not an account SID and a token.", "Both are on the first page of Twilio's console.")
    put_secret(target.client("secretsmanager"), target.output("TwilioSecret"), account)
    _ask_stripe_secret(target)
    say("Stored. Running functions take it over within minutes.")


def put_stripe_secret(client: Any, secret: str, account: dict[str, Any]) -> None:
    """Write the account into the Stripe secret and keep the rest. A webhook secret that is replaced stays accepted,
    because Stripe may sign with both for a day; the next replacement drops it."""
    values = json.loads(client.get_secret_value(SecretId=secret)["SecretString"])
    before = dict(values)
    retiring = [old for old in values["webhook_secrets"][:1] if old not in account["webhook_secrets"]]
    # One that was given again takes nothing from the one that retires.
    kept = values["webhook_secrets"][1:] if values["webhook_secrets"][:1] == account["webhook_secrets"][:1] else []
    values |= account | {"webhook_secrets": account["webhook_secrets"] + retiring + kept}
    if values != before:
        client.put_secret_value(SecretId=secret, SecretString=json.dumps(values))


def _ask_stripe_secret(target: Target) -> None:
    """The same for Stripe: a key, the webhook's secret, and what the meters are called there. Without a key, nothing."""
    key = getpass.getpass("Stripe restricted key (rk_…, writes meter events, reads meters and events; empty to leave it): ")
    if not (key := key.strip()):
        return
    webhook = getpass.getpass("Signing secret of the webhook (whsec_…): ").strip()
    if not (key.startswith(("rk_", "sk_")) and webhook.startswith("whsec_")):
        raise Stop("That is not a key and a signing secret.", "Both are in Stripe's dashboard, under Developers.")
    meters = {}
    for meter in ("calls", "minutes"):
        event_name = input(f"Meter for {meter}, its event name [optline_{meter}]: ").strip() or f"optline_{meter}"
        meters[meter] = {"event_name": event_name, "id": input(f"Meter for {meter}, its id (mtr_…): ").strip()}
    if not all(meter["id"].startswith("mtr_") for meter in meters.values()):
        raise Stop("That is not a meter's id.", "Stripe's dashboard shows it with each meter, under Billing.")
    account = {"secret_key": key, "webhook_secrets": [webhook], "meters": meters}
    put_stripe_secret(target.client("secretsmanager"), target.output("StripeSecret"), account)


# ── Tenants ───────────────────────────────────────────────────────────────────────────────────────────────────────


def provision(client: Any, stack_name: str, order: dict[str, Any]) -> dict[str, Any]:
    """Have `jobs-provision-tenant` set up one tenant, or the operator's own account."""
    answer = client.invoke(FunctionName=f"{stack_name}-jobs-provision-tenant", Payload=json.dumps(order).encode())
    result = json.loads(answer["Payload"].read() or b"null")
    if answer.get("FunctionError"):
        raise Stop(
            f"{_named(order)} could not be set up: {json.dumps(result, ensure_ascii=False)}",
            "Correct the file, or read what the function logged: make logs FN=jobs-provision-tenant",
        )
    done: dict[str, Any] = result
    return done


def provision_file(target: Target, file: str) -> None:
    """`make tenant FILE=…`: one tenant, or a list of them."""
    try:
        content = json.loads(Path(file).read_text())
    except (OSError, ValueError) as why:
        raise Stop(
            f"{file} cannot be read: {why}", "infra/local/demo-tenants.json shows what such a file holds."
        ) from why
    for order in content if isinstance(content, list) else [content]:
        _provision_aloud(target, order)


def provision_owner(target: Target, name: str, email: str, slug: str | None) -> None:
    """`make tenant NAME=… EMAIL=…`: a tenant with nothing but an owner, who sets up the rest in the dashboard."""
    letters = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    slug = slug or re.sub("[^a-z0-9]+", "-", letters).strip("-")
    if not slug:
        raise Stop(f"No short name can be made of {name!r}.", "Give one of a-z, 0-9 and hyphens: SLUG=…")
    profile = {"name": name, "time-zone": "America/Los_Angeles", "jurisdictions": ["us-ca"]}
    # Whom the invitation calls by name until they have given theirs.
    owner = {"email": email, "name": email.partition("@")[0], "language": "en"}
    tenant = {"slug": slug, "profile": profile, "service-codes": [], "numbers": [], "owner": owner}
    _provision_aloud(target, {"tenant": tenant})


def _provision_aloud(target: Target, order: dict[str, Any]) -> None:
    done = provision(target.client("lambda"), target.stack_name, order)
    say(f"{_named(order)}: {json.dumps(done)}")
    owner = order.get("tenant", {}).get("owner")
    if owner and done.get("invitation"):
        say(f"\n  The invitation of {owner['email']}, good once and for 72 hours:\n\n  {done['invitation']}\n")
    elif owner:
        say(f"  {owner['email']} has accepted an invitation before.")


def _named(order: dict[str, Any]) -> str:
    return str(order.get("tenant", {}).get("slug", "platform"))


# ── The audit trail ───────────────────────────────────────────────────────────────────────────────────────────────


def verify_audit(target: Target, tenant: str) -> int:
    """`make verify-audit TENANT=…`: have `jobs-verify-audit` walk the trail, and say what it found."""
    function = f"{target.stack_name}-jobs-verify-audit"
    answer = target.client("lambda").invoke(FunctionName=function, Payload=json.dumps({"tenant": tenant}).encode())
    found = json.loads(answer["Payload"].read() or b"null")
    if answer.get("FunctionError"):
        if found.get("errorType") == "NotFound":
            raise Stop(f"There is no tenant {tenant!r}.", "Give the short name under which it was set up.")
        raise Stop(f"The trail could not be walked: {json.dumps(found)}", "make logs FN=jobs-verify-audit")
    if found["ok"] and not found["entries"]:
        say("OK: the trail has not begun. If anybody has ever signed in, all of it was removed.")
        return 0
    if found["ok"]:
        say(f"OK: {found['entries']} entries, nothing changed, removed or reordered. The last hash is {found['hash']}.")
        return 0
    say(f"BROKEN: {found['broken']}. The {found['entries']} entries before that are whole.")
    return 1


# ── The counts ────────────────────────────────────────────────────────────────────────────────────────────────────


def recount(target: Target, tenant: str, look: bool) -> None:
    """`make recount TENANT=…`: have `jobs-recount` compare the counts with the requests and, unless it only looks, mend."""
    order = {"tenant": tenant, "dry-run": look}
    answer = target.client("lambda").invoke(
        FunctionName=f"{target.stack_name}-jobs-recount", Payload=json.dumps(order).encode()
    )
    found = json.loads(answer["Payload"].read() or b"null")
    if answer.get("FunctionError"):
        if found.get("errorType") == "NotFound":
            raise Stop(f"There is no tenant {tenant!r}.", "Give the short name under which it was set up.")
        raise Stop(f"The requests could not be counted: {json.dumps(found)}", "make logs FN=jobs-recount")
    say(f"{found['requests']} requests, {found['missed']} of them not counted as they are.")
    for bucket, counters in found["differences"].items():
        say(f"  {bucket}: " + ", ".join(f"{counter} {by:+}" for counter, by in counters.items()))
    if not found["missed"] and not found["differences"]:
        say("The counts are right.")
    else:
        say("Mended." if found["mended"] else "Nothing was changed; without DRY=1 it is mended.")


# ── Jobs ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def jobs(target: Target, job: str | None, last: int) -> None:
    """`make jobs`: what the jobs did of late."""
    order = {"last": last} | ({"job": job} if job else {})
    for name, of_late in sorted(_invoke(target, "jobs-runs", order).items()):
        plannings, runs = of_late["plannings"], of_late["runs"]
        say(f"\n{name}")
        if plannings:
            planned = sum(planning["planned"] for planning in plannings)
            say(f"  last planned {plannings[0]['at'][:19]}Z; {planned} summoned in the last {len(plannings)} plannings")
        else:
            say("  never planned yet")
        for run in runs:
            counted = ", ".join(f"{count} {word}" for word, count in run["counted"].items() if count)
            tries = f", try {run['tries']}" if run["tries"] > 1 else ""
            # One that looked ahead says how far.
            due, started = run["at"][:19], run["started-at"][:19]
            ahead = f"planned for {due}Z" if due > started else ""
            parts = [started + "Z", run["outcome"].ljust(7), run["tenant"], run["what"], ahead, counted]
            why = f" ({run['why']})" if run["why"] else ""
            say("  " + "  ".join(part for part in parts if part) + tries + why)


# Those that hold what they have against Stripe.
USAGE_JOBS = ("push-usage", "reconcile-usage")


def run_job(target: Target, job: str, at: str | None, tenant: str | None) -> None:
    """`make jobs RUN=send-reminders`: plan a job now, or as if it were later."""
    order = {key: value for key, value in (("at", at), ("tenant", tenant)) if value}
    function = "jobs-close-usage-day" if job == "push-usage" else "jobs-plan"
    if at and target.local and job in USAGE_JOBS:
        _move_stripes_clock(target.local, at)
    done = _invoke(target, function, order if job == "push-usage" else {"job": job, **order})
    say(f"{done['planned']} workers were summoned. make jobs says what they did.")


def _move_stripes_clock(settings: Settings, at: str) -> None:
    """Take the Stripe stand-in along to a later time: it takes no usage of the future. It is never moved back."""
    url, headers = f"{settings.standins_url}/_standin/stripe/clock", {"Content-Type": "application/json"}
    with urllib.request.urlopen(url, timeout=10) as answer:
        now = datetime.fromisoformat(json.loads(answer.read())["now"])
    try:
        wanted = datetime.fromisoformat(at)
    except ValueError:
        raise Stop(f"{at!r} is no time.", "Give it in UTC, such as AT=2027-01-05T16:00:00Z") from None
    if wanted.tzinfo is None:
        raise Stop(f"{at!r} names no time zone.", "Give it in UTC, such as AT=2027-01-05T16:00:00Z")
    if wanted > now:
        body = json.dumps({"at": at}).encode()
        urllib.request.urlopen(urllib.request.Request(url, data=body, headers=headers), timeout=10).close()


def _invoke(target: Target, function: str, order: dict[str, Any]) -> Any:
    name = f"{target.stack_name}-{function}"
    answer = target.client("lambda").invoke(FunctionName=name, Payload=json.dumps(order).encode())
    result = json.loads(answer["Payload"].read() or b"null")
    if answer.get("FunctionError"):
        raise Stop(f"{function} failed: {json.dumps(result, ensure_ascii=False)}", f"make logs FN={function}")
    return result


# ── Accounts ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def close_account(target: Target, tenant: str, *, reopen: bool) -> None:
    """`make close-account`, `make reopen-account`: suspend a tenant's account, or open it again as it was."""
    done = _invoke(target, "jobs-close-account", {"tenant": tenant, "reopen": reopen})
    if not done["closed-on"]:
        say(f"{tenant} is open{' again, as it was' if done['changed'] else ', and was before: nothing changed'}.")
        return
    say(f"{tenant} {'is closed' if done['changed'] else 'was closed before,'} since {done['closed-on']}: it takes no requests.")
    say(f"Its owners are told three times by mail, and everything is erased on {done['erased-on']}.")
    say(f"Until then: make reopen-account TENANT={tenant}")


# ── Usage ──────────────────────────────────────────────────────────────────────────────────────────────────────────────

# What the worker that bills will do about a day, by the code of `jobs-replay-usage`.
WOULD = {
    "bill": "bill the calls that no batch has",
    "count": "count a batch anew",
    "send": "send to Stripe",
    "cancel": "cancel at Stripe and send anew",
    "wait": "wait until Stripe has counted",
    "compare": "compare with Stripe's sums",
    "expire": "give up what is too old for Stripe, and report it",
    "ask": "wait for a person's decision (dashboard, Usage)",
}


def replay_usage(target: Target, tenant: str, first: str, last: str, look: bool) -> None:
    """`make replay-usage`: have the worker that bills look at days once more; a dry run only says what it would find."""
    order = {"tenant": tenant, "from": first, "to": last, "dry-run": look}
    done = _invoke(target, "jobs-replay-usage", order)
    if not done["customer"]:
        say(f"{tenant} has no Stripe customer: its usage is kept, and nothing can be sent.")
    if not done["days"]:
        say("No calls in these days.")
        return
    for day in done["days"]:
        waiting = day["unprocessed"]
        say(f"\n{day['day']}  {day['standing']}: {_amount(day['rows'])}, of which {_amount(waiting)} in no batch")
        for batch in day["batches"]:
            counted = _amount(batch["counted"]) if batch["counted"] else "being counted"
            events = ", ".join(f"{meter} {state}" for meter, state in batch["events"].items())
            say(f"  batch {batch['number']}: {counted}; {events or 'no events yet'}")
        for difference in day["differences"]:
            say(f"  differs: {_difference(difference)}")
        would = "; ".join(WOULD[code] for code in day["would"]) or "nothing, it is done"
        say(f"  {'would' if look else 'to do'}: {would}")
    if look:
        say("\nNothing was changed. Without DRY=1 the worker looks at these days.")
    else:
        say("\nThe days are on the agenda; the next planning has them done (now: make jobs RUN=push-usage).")


def reconcile_report(target: Target, tenant: str | None, days: int) -> None:
    """`make reconcile-report`: what the nightly comparisons with Twilio and Stripe found."""
    order = {"days": days} | ({"tenant": tenant} if tenant else {})
    report = _invoke(target, "jobs-reconciliation", order)
    lists, checks = report.get("lists", {}), report.get("days", {})
    if not lists and not checks:
        say("No comparison of these days yet. It runs every night at 05:00 UTC; make jobs RUN=reconcile-usage AT=… starts one.")
    for day, found in lists.items():
        say(
            f"{day}  Twilio lists {_amount(found['listed'])}; {found['added']} were missing here and added, "
            f"{found['differing']} differ, {found['under-way']} ended too lately to tell, or not yet"
        )
        for call in found["added-calls"]:
            say(f"  added {call}")
        for call in found["differing-calls"]:
            (ours, theirs), (minutes, their_minutes) = call["seconds"], call["minutes"]
            say(f"  {call['call']}: here {ours} s, {minutes} min; at Twilio {theirs} s, {their_minutes} min")
        if found.get("next"):
            say("  not at its end yet")
    for day, found in checks.items():
        stripe = found["stripe"] if isinstance(found["stripe"], str) else "not before " + str(found["stripe"]["not-before"])
        say(f"{day}  {_amount(found['rows'])}, {found['unprocessed']} unprocessed; Stripe: {stripe}")
        for difference in found["differences"]:
            say(f"  differs: {_difference(difference)}")


def _amount(amount: dict[str, int]) -> str:
    return f"{amount['calls']} calls ({amount['minutes']} min)"


def _difference(difference: dict[str, Any]) -> str:
    ((kind, of),) = difference.items()
    if kind == "sums":
        return f"the rows come to {_amount(of['rows'])}, the day's sums say {_amount(of['sums'])}"
    if kind == "batch":
        return f"batch {of['number']} was counted with {_amount(of['counted'])}, its rows come to {_amount(of['rows'])}"
    return f"{of['meter']}: Stripe shows {of['found']}, it should be {of['expected']}"


# ── Logs ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def logs(target: Target, function: str, since_minutes: int, follow: bool) -> None:
    """`make logs FN=voice-answer`: that function's lines of its domain's log group, and then those to come."""
    group = target.output(f"{function.split('-', 1)[0].capitalize()}Log")
    client = target.client("logs")
    start, seen, functions = int((time.time() - since_minutes * 60) * 1000), set[tuple[Any, ...]](), dict[str, str]()
    while True:
        pages = client.get_paginator("filter_log_events").paginate(logGroupName=group, startTime=start)
        events = [event for page in pages for event in page["events"] if _identity(event) not in seen]
        # Lambda's lines and a crash's do not name the function, but our own lines in the same stream do.
        functions |= {event["logStreamName"]: named for event in events if (named := _function(event))}
        for event in events:
            seen.add(_identity(event))
            # Look again at the last ten seconds each time: lines arrive late.
            start = max(start, event["timestamp"] - 10_000)
            if functions.get(event["logStreamName"]) == function:
                say(event["message"].rstrip())
        if not follow:
            return
        time.sleep(1)


def _identity(event: dict[str, Any]) -> tuple[Any, ...]:
    """What tells a line from one already shown; MiniStack gives its lines no id."""
    return (event.get("eventId"), event["logStreamName"], event["timestamp"], event["message"])


def _function(event: dict[str, Any]) -> str | None:
    """The function that wrote a line, where the line says so."""
    try:
        named = json.loads(event["message"]).get("fn")
    except (ValueError, AttributeError):
        return None
    return str(named) if named else None


# ── Dead-letter queues ────────────────────────────────────────────────────────────────────────────────────────────


def replay(target: Target, queue: str) -> None:
    """`make replay QUEUE=usage`: everything in its dead-letter queue goes back to where it came from."""
    outputs = aws.outputs(target.client("cloudformation"), target.stack_name)
    dead_queues = {aws.kebab(key.removesuffix("DeadQueue")): url for key, url in outputs.items() if key.endswith("DeadQueue")}
    alive = outputs.get(f"{aws.resource_name(queue)}Queue")
    if queue not in dead_queues or alive is None:
        replayable = [name for name in dead_queues if f"{aws.resource_name(name)}Queue" in outputs]
        raise Stop(f"There is no queue {queue!r}.", f"Name one of {', '.join(replayable)}: make replay QUEUE=usage")
    client, dead = target.client("sqs"), dead_queues[queue]
    waiting = _depth(client, dead)
    if waiting == 0:
        say(f"Nothing is in the dead-letter queue of {queue}.")
        return
    say(f"Moving about {waiting} messages back to the {queue} queue …")
    # Not SQS's own move task, which says only afterwards what it did, and would chase what a job buries again.
    began, moved, buried_again = int(time.time() * 1000), 0, 0
    while batch := client.receive_message(
        QueueUrl=dead,
        MaxNumberOfMessages=10,
        WaitTimeSeconds=1,
        VisibilityTimeout=60,
        MessageSystemAttributeNames=["SentTimestamp"],
    ).get("Messages"):
        for message in batch:
            if int(message["Attributes"]["SentTimestamp"]) >= began:
                buried_again += 1
                continue
            client.send_message(QueueUrl=alive, MessageBody=message["Body"])
            client.delete_message(QueueUrl=dead, ReceiptHandle=message["ReceiptHandle"])
            moved += 1
        say(f"  {moved} moved")
    if buried_again:
        say(f"  {buried_again} came straight back: they cannot be read, and stay in the dead-letter queue.")


def _depth(client: Any, url: str) -> int:
    attribute = "ApproximateNumberOfMessages"
    return int(client.get_queue_attributes(QueueUrl=url, AttributeNames=[attribute])["Attributes"][attribute])
