"""Days of usage as no test can wait for: put into the ledger as their workers would have left them."""

from __future__ import annotations

import json
import secrets
from datetime import date, datetime, timedelta, timezone
from typing import Any

from browser.company import Company

CONFIRMED = "confirmed"


def put(company: Company, day: date, *batches: dict[str, Any], calls: int, minutes: int) -> None:
    """A day's sums and its batches, each with its calls, its minutes and the states of both of its meter events."""
    table = company.cloud.aws("dynamodb")
    month = {"S": f"{company.tenant}#{day:%Y-%m}"}

    def item(**attributes: dict[str, str]) -> None:
        table.put_item(TableName=company.cloud.stack["tables"]["usage"], Item={"pk": month, **attributes})

    sums = {"calls": calls, "minutes": minutes, "seconds": minutes * 47}
    item(sk={"S": f"{day}#0"}, **{name: {"N": str(n)} for name, n in sums.items()})
    for number, batch in enumerate(batches, start=1):
        written = json.dumps(_batch(company.tenant, day, number, **batch))
        item(sk={"S": f"batch#{day}#{number:04}"}, batch={"S": written}, version={"N": "4"})


def check(company: Company, day: date, *differences: dict[str, Any], found_at_twilio: int = 0) -> None:
    """What the night's comparison found."""
    report = {
        "at": f"{day + timedelta(days=2)}T05:00:00Z",
        "rows": {"calls": 3, "minutes": 8},
        "unprocessed": 0,
        "found-at-twilio": found_at_twilio,
        "stripe": "compared",
        "differences": differences,
    }
    company.cloud.aws("dynamodb").put_item(
        TableName=company.cloud.stack["tables"]["usage"],
        Item={
            "pk": {"S": f"{company.tenant}#{day:%Y-%m}"},
            "sk": {"S": f"check#{day}"},
            "report": {"S": json.dumps(report)},
        },
    )


def _batch(tenant: str, day: date, number: int, *, calls: int, minutes: int, states: tuple[Any, Any]) -> dict[str, Any]:
    sent = datetime(day.year, day.month, day.day, 0, 30, tzinfo=timezone.utc) + timedelta(days=1)
    first, later = f"{sent:%Y-%m-%dT%H:%M:%SZ}", f"{sent + timedelta(hours=8):%Y-%m-%dT%H:%M:%SZ}"
    confirmed = {CONFIRMED: {"first": first, "last": first, "at": later}}
    lines = {
        meter: {
            "identifier": f"use1-{secrets.token_hex(32)}",
            "revision": 1,
            "earlier": [],
            "value": value,
            "due": value,
            "spent-keys": 0,
            "fading": None,
            "state": confirmed if state == CONFIRMED else state,
        }
        for meter, value, state in zip(("calls", "minutes"), (calls, minutes), states, strict=True)
    }
    content = {"calls": calls, "minutes": minutes, "digest": secrets.token_hex(32)}
    return {
        "tenant": tenant,
        "day": str(day),
        "number": number,
        "version": 4,
        "open": None,
        "stale": False,
        "content": content,
        "lines": lines,
    }
