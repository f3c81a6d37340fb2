"""The demo tenants' owners. Each accepts their invitation as a person does, page by page: chooses a password, sets up an
authenticator app, notes the recovery codes. What they chose is kept beside the cloud, so it is done once."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass, field
from html.parser import HTMLParser
from http.client import HTTPConnection
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit

from . import totp
from .console import Stop, say, step
from .settings import Settings

# ── Pages, without a browser ──────────────────────────────────────────────────────────────────────────────────────


@dataclass
class Form:
    """A form as it is on the page: where it goes, and what it would send if nobody touched it."""

    action: str
    fields: dict[str, str] = field(default_factory=dict)


@dataclass
class Page:
    url: str
    status: int
    forms: list[Form]
    # What stands in each element that has a `data-…` attribute, by the attribute's name.
    marked: dict[str, list[str]]

    def form(self, *names: str) -> Form:
        """The form that has all these fields."""
        for form in self.forms:
            if all(name in form.fields for name in names):
                return form
        raise Unexpected(f"{self.url} answered {self.status} and has no form with {', '.join(names)}.")


class Unexpected(Exception):
    """A page is not the one that comes at this point."""


class Client:
    """A window on the dashboard. Cookies marked Secure are kept over plain HTTP too, as browsers do for localhost."""

    def __init__(self, settings: Settings) -> None:
        self._origin = settings.base_url
        # Not every system resolves *.localhost.
        self._connect_to = ("127.0.0.1", settings.port)
        self._cookies: dict[str, str] = {}

    @property
    def cookies(self) -> dict[str, str]:
        """What a browser would keep, by name."""
        return dict(self._cookies)

    def keep(self, name: str, value: str) -> None:
        """Go on with a cookie that another client was given."""
        self._cookies[name] = value

    def get(self, address: str) -> Page:
        """A page by its path, or by a whole link."""
        return self._follow("GET", urljoin(self._origin, address), None)

    def submit(self, page: Page, form: Form, **typed: str) -> Page:
        """Send a form with what was typed in, and read where that leads."""
        return self._follow("POST", urljoin(page.url, form.action), urlencode(form.fields | typed).encode())

    def _follow(self, method: str, url: str, body: bytes | None) -> Page:
        for _ in range(6):
            status, location, document = self._once(method, url, body)
            if location is None:
                reader = _Reader()
                reader.feed(document)
                return Page(url, status, reader.forms, reader.marked)
            method, url, body = "GET", urljoin(url, location), None
        raise Unexpected(f"{url} leads in a circle.")

    def _once(self, method: str, url: str, body: bytes | None) -> tuple[int, str | None, str]:
        parts = urlsplit(url)
        if f"{parts.scheme}://{parts.netloc}" != self._origin:
            raise Unexpected(f"{url} leads away from {self._origin}.")
        headers = {"Host": parts.netloc, "Accept": "text/html", "Accept-Language": "en", "User-Agent": "make up"}
        headers["Sec-Fetch-Site"] = "same-origin" if body is not None else "none"
        if body is not None:
            headers |= {"Origin": self._origin, "Content-Type": "application/x-www-form-urlencoded"}
        if self._cookies:
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in self._cookies.items())
        connection = HTTPConnection(*self._connect_to, timeout=60)
        try:
            connection.request(method, parts.path + (f"?{parts.query}" if parts.query else ""), body, headers)
            answer = connection.getresponse()
            document = answer.read().decode(errors="replace")
        finally:
            connection.close()
        for line in answer.headers.get_all("Set-Cookie") or []:
            self._keep(line)
        location = answer.headers.get("Location") if answer.status in (302, 303) else None
        return answer.status, location, document

    def _keep(self, line: str) -> None:
        for name, cookie in SimpleCookie(line).items():
            if cookie["max-age"] == "0" or not cookie.value:
                self._cookies.pop(name, None)
            else:
                self._cookies[name] = cookie.value


class _Reader(HTMLParser):
    """Forms, and text that is marked for programs."""

    VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.marked: dict[str, list[str]] = {}
        self._form: Form | None = None
        # The open elements, each with the marks that it has.
        self._open: list[tuple[str, list[str]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        marks = [name for name in values if name.startswith("data-")]
        for mark in marks:
            self.marked.setdefault(mark, [])
        if tag not in self.VOID:
            self._open.append((tag, marks))
        if tag == "form":
            self._form = Form(values.get("action", ""))
            self.forms.append(self._form)
        elif self._form is not None and (name := values.get("name")):
            kind = values.get("type", "")
            if tag in ("textarea", "select"):
                self._form.fields.setdefault(name, "")
            elif tag == "input" and (kind not in ("checkbox", "radio") or "checked" in values):
                self._form.fields.setdefault(name, values.get("value", ""))
            elif tag == "button" and kind in ("", "submit"):
                # The first is the one that Enter presses.
                self._form.fields.setdefault(name, values.get("value", ""))

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._form = None
        while self._open and any(open_tag == tag for open_tag, _ in self._open):
            if self._open.pop()[0] == tag:
                break

    def handle_data(self, data: str) -> None:
        if text := data.strip():
            for mark in {mark for _, marks in self._open for mark in marks}:
                self.marked[mark].append(text)


# ── The owners ────────────────────────────────────────────────────────────────────────────────────────────────────


def known(settings: Settings) -> dict[str, dict[str, Any]]:
    """Tenant → its owner's `email`, `password`, `totp_secret` and `recovery_codes`, as far as they have accepted."""
    try:
        owners: dict[str, dict[str, Any]] = json.loads(settings.owners_json.read_text())
    except (OSError, ValueError):
        return {}
    return owners


def settle(settings: Settings, invited: dict[str, tuple[dict[str, str], str | None]]) -> None:
    """See to it that every demo owner can sign in. `invited` is tenant → the owner as ordered and their invitation,
    which is None when they have accepted one."""
    for tenant, (owner, invitation) in invited.items():
        mine = known(settings).get(tenant)
        if mine is None and invitation is None:
            say(f"         {owner['email']} has an account whose password is not in {settings.owners_json}.")
            say("         A new start: make up FRESH=1")
        elif mine is None and invitation is not None:
            with step(f"{owner['email']} accepts the invitation of {tenant}"):
                _accept(settings, tenant, owner, invitation)
        elif mine is not None and not _password_is_right(settings, mine):
            say(f"         {mine['email']} cannot sign in with the password of {settings.owners_json}: was it changed?")
            say("         A new start: make up FRESH=1")


def _accept(settings: Settings, tenant: str, owner: dict[str, str], invitation: str) -> None:
    try:
        account = accept(Client(settings), invitation, owner)
    except Unexpected as why:
        raise Stop(
            f"{owner['email']} could not accept the invitation: {why}",
            "What the functions logged: make logs FN=dashboard-invitation, and FN=dashboard-factors. "
            "A new start: make up FRESH=1",
        ) from why
    settings.owners_json.write_text(json.dumps(known(settings) | {tenant: account}, indent=2) + "\n")
    settings.owners_json.chmod(0o600)


def accept(client: Client, invitation: str, person: dict[str, str]) -> dict[str, Any]:
    """Accept an invitation, page by page, as whom its `email` and `name` say: what that person chose and noted. The
    client is signed in as them afterwards."""
    page = client.get(invitation)
    password = _password()
    page = client.submit(page, page.form("password"), name=person["name"], password=password)
    form = page.form("secret", "code")
    secret = "".join(page.marked.get("data-totp-secret", [])).replace(" ", "")
    if not secret:
        raise Unexpected(f"{page.url} shows no secret for an authenticator app.")
    # Not the code of the moment, which is for the person who reads it: none is taken twice.
    page = client.submit(page, form, code=totp.App(secret).unused())
    recovery_codes = [text for text in page.marked.get("data-recovery-codes", []) if " " not in text]
    if not recovery_codes:
        raise Unexpected(f"{page.url} answered {page.status} and shows no recovery codes.")
    return {"email": person["email"], "password": password, "totp_secret": secret, "recovery_codes": recovery_codes}


def _password_is_right(settings: Settings, owner: dict[str, Any]) -> bool:
    """Whether the password still opens the way to the second factor. No code is spent on it: the one of the moment is
    for the person who reads it."""
    client = Client(settings)
    try:
        page = client.get("/dashboard/sign-in")
        page = client.submit(page, page.form("email", "password"), email=owner["email"], password=owner["password"])
    except Unexpected:
        return False
    return urlsplit(page.url).path == "/dashboard/second-factor"


def _password() -> str:
    """Twenty letters and digits in groups that can be typed, without those that look alike: 99 bits."""
    alphabet = "abcdefghjkmnpqrstuvwxyz23456789"
    return "-".join("".join(secrets.choice(alphabet) for _ in range(5)) for _ in range(4))


def show(settings: Settings, names: dict[str, str]) -> None:
    """Who can sign in, with what. `names` is tenant → what it is called."""
    say(f"\n  The dashboard: {settings.base_url}/dashboard\n")
    for tenant, owner in known(settings).items():
        say(f"    {names.get(tenant, tenant)}")
        say(f"      e-mail       {owner['email']}")
        say(f"      password     {owner['password']}")
        say(f"      TOTP secret  {owner['totp_secret']}")
        say(f"      code now     {totp.code(owner['totp_secret'])}, for {totp.seconds_left()} s; the next: make codes")
