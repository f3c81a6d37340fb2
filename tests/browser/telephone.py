"""A call to the hotline with the text telephone (`tests/phone`): keys and words in, what was said out."""

from __future__ import annotations

import json
import os
import re
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from browser.cloud import ROOT, Cloud


@dataclass(frozen=True)
class Call:
    sid: str
    # Each sentence as it was said, in order.
    said: list[str]
    # The address of each recording that was played.
    played: list[str]
    # The request as it is stored, and its reference number; None when the call made none.
    request: dict[str, Any] | None
    reference: str | None

    def heard(self, words: str) -> bool:
        return any(words in sentence for sentence in self.said)


class Telephone:
    """Calls one local cloud."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud

    def call(self, *does: str, to: str | None = None, caller: str = "+12135550142") -> Call:
        """One call. The caller does these in turn, whenever something is asked: `"1"` and `"24#"` press keys,
        `"speak …"` says words after the beep, `""` stays silent. Afterwards they hang up."""
        phone = ROOT / os.environ.get("CARGO_TARGET_DIR", "target") / "debug" / "phone"
        with tempfile.TemporaryDirectory() as folder:
            call_file = Path(folder) / "call.json"
            command = [str(phone), "--stack", str(self._cloud.stack_json), "--call-file", str(call_file)]
            command += ["call", "--from", caller, *(["--to", to] if to else [])]
            typed = "".join(f"{do}\n" for do in does)
            done = subprocess.run(command, input=typed, capture_output=True, text=True, timeout=120)
            assert done.returncode == 0, f"The call failed.\n{done.stdout}\n{done.stderr}"
            sid = json.loads(call_file.read_text())["call_sid"]
        request = self._request(sid)
        return Call(
            sid=sid,
            said=_said(done.stdout),
            played=re.findall(r"^Hotline: \(plays (\S+)\)$", done.stdout, flags=re.MULTILINE),
            request=request,
            reference=request["sk"]["S"] if request else None,
        )

    def _request(self, sid: str) -> dict[str, Any] | None:
        # A scan: the tests' own cloud, and no function of Optline.
        pages = self._cloud.aws("dynamodb").get_paginator("scan").paginate(
            TableName=self._cloud.stack["tables"]["requests"],
            FilterExpression="#call = :call",
            ExpressionAttributeNames={"#call": "call"},
            ExpressionAttributeValues={":call": {"S": sid}},
        )
        return next((item for page in pages for item in page["Items"]), None)


def _said(shown: str) -> list[str]:
    """The telephone sets long sentences in rows, the first after `Hotline:`, the others below it."""
    sentences: list[str] = []
    speaking = False
    for row in shown.splitlines():
        if row.startswith("Hotline: "):
            speaking = not row.startswith("Hotline: (plays ")
            if speaking:
                sentences.append(row.removeprefix("Hotline: "))
        elif speaking and row.startswith(" " * 9):
            sentences[-1] += " " + row.strip()
        else:
            speaking = False
    return sentences
