"""A business of the tests' own, and who works in it: nothing that another test or a developer has done is in it."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass, field
from datetime import datetime, timezone
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from local import operate, owners, totp
from local.settings import Settings

from browser.cloud import Cloud
from browser.mailbox import Mailbox
from browser.people import SESSION

# Whose page may show every company's form.
SHOP = "lakeside"
# A night's work goes through a queue.
PATIENCE_SECONDS = 30.0
NAMES = {"owner": "Olivia Reyes", "manager": "Marcus Webb", "agent": "Ana Lucía Prieto", "viewer": "Victor Lindqvist"}
KINDS = ["opt-out", "delete", "know-categories", "know-specific", "correct", "limit", "message"]


@dataclass
class Account:
    """Somebody who has accepted an invitation, and is signed in."""

    email: str
    name: str
    role: str
    password: str
    app: totp.App
    recovery_codes: list[str]
    # The cookie of the session that began when they accepted.
    session: str


@dataclass
class Company:
    """A tenant with one service code, and its owner's invitation."""

    cloud: Cloud
    mailbox: Mailbox
    name: str
    slug: str
    # What everything of it lies under.
    tenant: str
    # What callers key.
    code: str
    # Where the owner's invitation leads.
    invitation: str
    people: dict[str, Account] = field(default_factory=dict)

    @property
    def owner_email(self) -> str:
        return f"owner@{self.slug}.example"

    @cached_property
    def owner(self) -> Account:
        return self.accepts(self.invitation, self.owner_email, NAMES["owner"], "owner")

    def member(self, role: str) -> Account:
        """Somebody with that role, always the same."""
        if role == "owner":
            return self.owner
        if role not in self.people:
            self.people[role] = self.joins(role)
        return self.people[role]

    def until(self, job: str, at: datetime) -> None:
        """Has all of a nightly job done that is due until a time, as if it were then."""
        plan = {"job": job, "at": f"{at.astimezone(timezone.utc):%Y-%m-%dT%H:%M:%SZ}", "tenant": self.slug}
        end = time.monotonic() + PATIENCE_SECONDS
        while self.cloud.invoke("jobs-plan", plan)["planned"] > 0:
            assert time.monotonic() < end, f"{job} is not done after {PATIENCE_SECONDS:.0f} s."
            time.sleep(0.3)

    def closes(self, *, again_open: bool = False) -> None:
        """What an operator does when a business leaves, or stays after all."""
        assert self.cloud.invoke("jobs-close-account", {"tenant": self.slug, "reopen": again_open})["changed"]

    def joins(self, role: str, name: str | None = None) -> Account:
        """Somebody new, invited by the owner."""
        name = name or NAMES[role]
        email = f"{role}-{secrets.token_hex(3)}@{self.slug}.example"
        client, before = new_client(self.cloud), time.time()
        client.keep(SESSION, self.owner.session)
        page = client.get("/dashboard/team")
        page = client.submit(page, page.form("email", "role"), email=email, name=name, role=role)
        assert page.status == 200, f"The invitation of {email} was answered with {page.status}."
        link = self.mailbox.wait(email, since=before - 1).link("/dashboard/invitation/")
        return self.accepts(link, email, name, role)

    def accepts(self, invitation: str, email: str, name: str, role: str) -> Account:
        """Somebody follows the link of their invitation."""
        client = new_client(self.cloud)
        chosen = owners.accept(client, invitation, {"email": email, "name": name})
        app = totp.App(chosen["totp_secret"])
        app.unused()  # It was used to set the app up.
        return Account(email, name, role, chosen["password"], app, chosen["recovery_codes"], client.cookies[SESSION])


def new_client(cloud: Cloud) -> owners.Client:
    """Somebody without a browser."""
    # Only where the cloud is counts for them.
    return owners.Client(Settings(Path(), urlsplit(cloud.base_url).port or 80, standins_port=0))


def provision(cloud: Cloud, mailbox: Mailbox, name: str = "Lakeside Outdoor") -> Company:
    """What an operator does for a new business."""
    # Eight digits that nobody else uses.
    code = f"9{secrets.randbelow(10**7):07}"
    slug = f"lakeside-{code}"
    order: dict[str, Any] = {
        "slug": slug,
        "owner": {"email": f"owner@{slug}.example", "name": NAMES["owner"], "language": "en"},
        "profile": {"name": name, "time-zone": "America/Los_Angeles", "jurisdictions": ["us-ca"]},
        "service-codes": [
            {
                "code": code,
                "name": name,
                "active": True,
                "languages": ["en", "es"],
                "greetings": {
                    "en": {"text": f"You have reached the privacy line of {name}."},
                    "es": {"text": f"Se ha comunicado con la línea de privacidad de {name}."},
                },
                "kinds": KINDS,
                "web-form": None,
                "origins": [cloud.shop(SHOP)],
            }
        ],
        "numbers": [],
    }
    done = operate.provision(cloud.aws("lambda"), cloud.stack["stack_name"], {"tenant": order})
    return Company(cloud, mailbox, name, slug, done["tenant"], code, done["invitation"])
