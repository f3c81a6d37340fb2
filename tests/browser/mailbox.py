"""What the local cloud has sent: SES there keeps every e-mail instead of delivering it."""

from __future__ import annotations

import html
import json
import re
import time
import urllib.request
from dataclasses import dataclass

from browser.cloud import Cloud

# E-mail goes through a queue.
PATIENCE_SECONDS = 20.0


@dataclass(frozen=True)
class Mail:
    sender: str
    to: list[str]
    subject: str
    text: str
    html: str
    at: float

    @property
    def links(self) -> list[str]:
        """Every address in it, in order, each once."""
        found = re.findall(r"https?://[^\s<>\"']+", self.text) + re.findall(r'href="([^"]+)"', self.html)
        return list(dict.fromkeys(html.unescape(link).rstrip(".,)") for link in found))

    def link(self, path: str) -> str:
        """The one link whose path begins so."""
        return next(link for link in self.links if path in link)


class Mailbox:
    """All mail of one local cloud."""

    def __init__(self, cloud: Cloud) -> None:
        self._url = f"{cloud.aws_endpoint}/_ministack/ses/messages"

    def all(self) -> list[Mail]:
        """Every mail so far, oldest first."""
        with urllib.request.urlopen(self._url, timeout=10) as answer:
            accounts = json.load(answer)["messages"]
        mails = [
            Mail(
                sender=message["Source"],
                to=message["To"],
                subject=message["Subject"],
                text=message["BodyText"] or "",
                html=message["BodyHtml"] or "",
                at=message["Timestamp"],
            )
            for messages in accounts.values()
            for message in messages
        ]
        return sorted(mails, key=lambda mail: mail.at)

    def to(self, address: str, *, since: float = 0.0, about: str = "") -> list[Mail]:
        """What that address was sent after that moment."""
        wanted = address.lower()
        return [
            mail
            for mail in self.all()
            if mail.at > since
            and about.lower() in mail.subject.lower()
            and any(wanted in recipient.lower() for recipient in mail.to)
        ]

    def wait(self, address: str, *, since: float = 0.0, about: str = "") -> Mail:
        """The newest such mail, once there is one."""
        end = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < end:
            if found := self.to(address, since=since, about=about):
                return found[-1]
            time.sleep(0.2)
        raise AssertionError(f"No mail{f' about {about}' if about else ''} to {address} in {PATIENCE_SECONDS:.0f} s.")
