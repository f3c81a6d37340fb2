"""What came of a call: the request as it is stored, and its row in the usage ledger."""

from __future__ import annotations

import hashlib
import json
import time
from pathlib import Path
from typing import Any

from . import aws
from .console import say
from .settings import STACK_NAME, Settings

# The usage goes through a queue: it takes a moment.
PATIENCE_SECONDS = 20


def show(settings: Settings, call_file: Path) -> None:
    """Print both, as the tables hold them. `call_file` is what the telephone wrote: the call's SID."""
    sid = json.loads(call_file.read_text())["call_sid"]
    tables = aws.outputs(aws.local(settings, "cloudformation"), STACK_NAME)
    dynamodb = aws.local(settings, "dynamodb")
    request = _request(dynamodb, tables["RequestsTable"], sid)
    if request is None:
        say("\n  No request came of this call.")
    else:
        say("\n  The request, as stored:")
        for name in ("sk", "kind", "state", "code", "language", "received_at", "respond_by", "respond_citation"):
            say(f"    {'reference' if name == 'sk' else name:<17} {_text(request.get(name))}")
        say(f"    {'contact':<17} {_text(request.get('contact'))}")
        for missing in request.get("missing", {}).get("L", []):
            say(f"    {'missing':<17} {_text(missing)}")
        if "confirmed_at" in request:
            say(f"    {'confirmed':<17} {_text(request['confirmed_how'])}, {_text(request['confirmed_at'])}")
    usage = _usage(dynamodb, tables["DirectoryTable"], tables["UsageTable"], sid)
    if usage is None:
        say(f"\n  No usage row within {PATIENCE_SECONDS} s: see make logs FN=jobs-record-usage.")
        return
    say("\n  Its row in the ledger:")
    for name in ("pk", "sk", "status", "seconds", "billed_minutes", "ended_at"):
        say(f"    {name:<17} {_text(usage[name])}")


def _request(dynamodb: Any, table: str, sid: str) -> dict[str, Any] | None:
    # A scan: this is a developer's own cloud with a handful of items. No function of Optline may scan.
    pages = dynamodb.get_paginator("scan").paginate(
        TableName=table,
        FilterExpression="#call = :call",
        ExpressionAttributeNames={"#call": "call"},
        ExpressionAttributeValues={":call": {"S": sid}},
    )
    return next((item for page in pages for item in page["Items"]), None)


def _usage(dynamodb: Any, directory: str, ledger: str, sid: str) -> dict[str, Any] | None:
    look_up = {"pk": {"S": "call#" + hashlib.sha256(sid.encode()).hexdigest()}}
    end = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < end:
        owner = dynamodb.get_item(TableName=directory, Key=look_up).get("Item")
        if owner:
            key = {"pk": {"S": f"{owner['tenant']['S']}#{owner['day']['S']}"}, "sk": {"S": sid}}
            row: dict[str, Any] | None = dynamodb.get_item(TableName=ledger, Key=key).get("Item")
            if row:
                return row
        time.sleep(0.3)
    return None


def _text(value: dict[str, Any] | None) -> str:
    if value is None:
        return "none"
    if "B" in value:
        return f"sealed, {len(value['B'])} bytes"
    return str(next(iter(value.values())))
