"""Somebody with a browser window of their own: nothing in it is shared with anybody else's."""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, CDPSession, ConsoleMessage, Locator, Page, Request

from browser.cloud import Cloud

SESSION = "__Host-session"
WIDE = (1440, 900)
PHONE = (360, 740)


def notice(page: Page, words: str) -> Locator:
    """What a page says first of what has happened. Its script says it once more, to those who do not see it."""
    return page.locator("main .notice").filter(has_text=words)


@dataclass
class Person:
    """Their window, and everything in it that no page of ours may cause."""

    cloud: Cloud
    context: BrowserContext
    page: Page
    javascript: bool
    mishaps: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.context.on("console", self._console)
        self.context.on("weberror", lambda error: self.mishaps.append(f"script error: {error.error}"))
        self.context.on("request", self._request)

    def visit(self, path: str) -> Page:
        """Open a page of the dashboard, by its path or by a whole link."""
        self.page.goto(path if path.startswith("http") else self.cloud.base_url + path)
        return self.page

    def cookies(self) -> dict[str, Any]:
        return {cookie["name"]: cookie for cookie in self.context.cookies()}

    def keep(self, session: str) -> None:
        """Go on with a session that has begun elsewhere."""
        # A browser trusts this host without TLS; the protocol that hands cookies over does not.
        address = self.cloud.base_url.replace("http:", "https:")
        self.context.add_cookies(
            [{"name": SESSION, "value": session, "url": address, "httpOnly": True, "secure": True, "sameSite": "Lax"}]
        )

    def grows_old(self, *, minutes: int) -> None:
        """As if they had last shown so long ago who they are."""
        # Stored under the hash of the secret: nothing that is stored opens anything.
        key = "session#" + hashlib.sha256(self.cookies()[SESSION]["value"].encode()).hexdigest()
        self.cloud.aws("dynamodb").update_item(
            TableName=self.cloud.stack["tables"]["sessions"],
            Key={"pk": {"S": key}},
            UpdateExpression="SET confirmed_at = :then",
            ExpressionAttributeValues={":then": {"N": str(int(time.time()) - minutes * 60)}},
        )

    def passkeys(self) -> Passkeys:
        """Give their window something to keep passkeys in, as a telephone or a laptop has it."""
        return Passkeys(self.context.new_cdp_session(self.page))

    def _console(self, message: ConsoleMessage) -> None:
        # Pages answer 403, 404 and 422 on purpose, and Chromium notes each as an error.
        answered = message.text.startswith("Failed to load resource: the server responded with a status of 4")
        if message.type in ("error", "warning") and not answered:
            self.mishaps.append(f"console {message.type}: {message.text}")

    def _request(self, request: Request) -> None:
        url = urlsplit(request.url)
        # A shop under another name is somebody else's site, which is there to be visited.
        shop = url.port == self.cloud.shop_port and str(url.hostname).endswith(".localhost")
        if url.scheme in ("http", "https", "ws", "wss") and url.netloc not in self.cloud.hosts and not shop:
            self.mishaps.append(f"a request to {url.netloc}: {request.url}")


class NewPerson(Protocol):
    """Opens a window for one more person."""

    def __call__(
        self,
        *,
        locale: str = "en-US",
        color_scheme: str = "light",
        viewport: tuple[int, int] = WIDE,
        javascript: bool = True,
    ) -> Person: ...


class SignedIn(Protocol):
    """Opens a window for somebody who has signed in before."""

    def __call__(self, who: Any = "owner", **window: Any) -> Person: ...


class Passkeys:
    """An authenticator made of software, which says yes to everything at once."""

    OPTIONS = {
        "protocol": "ctap2",
        "ctap2Version": "ctap2_1",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }

    def __init__(self, session: CDPSession) -> None:
        self._session = session
        session.send("WebAuthn.enable")
        self._id = session.send("WebAuthn.addVirtualAuthenticator", {"options": self.OPTIONS})["authenticatorId"]

    def all(self) -> list[dict[str, Any]]:
        """The passkeys in it: `credentialId`, `rpId`, `signCount` and more of each."""
        answer = self._session.send("WebAuthn.getCredentials", {"authenticatorId": self._id})
        credentials: list[dict[str, Any]] = answer["credentials"]
        return credentials

    def recognises(self, person: bool) -> None:
        """Whether finger or face is the right one from now on."""
        self._session.send("WebAuthn.setUserVerified", {"authenticatorId": self._id, "isUserVerified": person})

    def lose(self) -> None:
        """All of them are gone."""
        self._session.send("WebAuthn.clearCredentials", {"authenticatorId": self._id})
