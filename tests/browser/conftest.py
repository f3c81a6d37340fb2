"""The fixtures that the tests are told with."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from local import browser as chromium
from local.owners import Client
from playwright.sync_api import Browser, Page, expect, sync_playwright

from browser import axe as accessibility
from browser import company as companies
from browser import looks
from browser.cloud import ROOT, Cloud
from browser.company import Account, Company
from browser.mailbox import Mailbox
from browser.people import SESSION, WIDE, NewPerson, Person, SignedIn
from browser.telephone import Telephone

SCREENS = ROOT / "target" / "screens"

# In milliseconds: a busy machine is slow, and no test waits longer than it must.
expect.set_options(timeout=10_000)


@pytest.fixture(scope="session")
def cloud() -> Cloud:
    return Cloud.running()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    # `make test` has found or installed one; who runs pytest by hand may not have.
    executable = os.environ.get("CHROMIUM") or str(chromium.chromium())
    with sync_playwright() as playwright:
        # Headless, with a profile of its own that is thrown away.
        launched = playwright.chromium.launch(executable_path=executable, headless=True, args=chromium.flags())
        yield launched
        launched.close()


@pytest.fixture
def new_person(browser: Browser, cloud: Cloud, request: pytest.FixtureRequest) -> Iterator[NewPerson]:
    """Opens a window for one more person. When the test is over, none of their pages may have caused a script error,
    a breach of its own policy or a request to anywhere else."""
    people: list[Person] = []

    def new(
        *,
        locale: str = "en-US",
        color_scheme: Any = "light",
        viewport: tuple[int, int] = WIDE,
        javascript: bool = True,
    ) -> Person:
        context = browser.new_context(
            locale=locale,
            color_scheme=color_scheme,
            viewport={"width": viewport[0], "height": viewport[1]},
            java_script_enabled=javascript,
            timezone_id="America/Los_Angeles",
            # Nothing moves in a picture, and no test waits for it.
            reduced_motion="reduce",
        )
        context.set_default_timeout(15_000)
        people.append(Person(cloud, context, context.new_page(), javascript))
        return people[-1]

    yield new
    failed = getattr(request.node, "failed", False)
    for number, person in enumerate(people):
        if failed:
            _keep(person.page, f"failed/{request.node.name}-{number}")
        person.context.close()
    mishaps = [mishap for person in people for mishap in person.mishaps]
    assert failed or not mishaps, "\n".join(mishaps)


@pytest.fixture(scope="session")
def mailbox(cloud: Cloud) -> Mailbox:
    return Mailbox(cloud)


@pytest.fixture(scope="session")
def telephone(cloud: Cloud) -> Telephone:
    return Telephone(cloud)


@pytest.fixture(autouse=True)
def _patience(cloud: Cloud) -> None:
    """Everybody here comes from one address, and so do all that came before: their tries are forgotten."""
    sessions, dynamodb = cloud.stack["tables"]["sessions"], cloud.aws("dynamodb")
    pages = dynamodb.get_paginator("scan").paginate(
        TableName=sessions,
        FilterExpression="begins_with(pk, :throttle)",
        ExpressionAttributeValues={":throttle": {"S": "throttle#"}},
    )
    for item in [item for page in pages for item in page["Items"]]:
        dynamodb.delete_item(TableName=sessions, Key={"pk": item["pk"]})


@pytest.fixture(scope="session")
def new_client(cloud: Cloud) -> Callable[[], Client]:
    """Somebody without a browser: for what a browser would only be slow at."""
    return lambda: companies.new_client(cloud)


@pytest.fixture(scope="session")
def new_company(cloud: Cloud, mailbox: Mailbox) -> Callable[[], Company]:
    """Sets up one more business, whose owner is invited."""
    return lambda: companies.provision(cloud, mailbox)


@pytest.fixture(scope="session")
def company(new_company: Callable[[], Company]) -> Company:
    """The business that most tests work in: nothing of it may be expected to be the only one of its kind."""
    return new_company()


@pytest.fixture
def somebody(new_company: Callable[[], Company]) -> Account:
    """Somebody whom no other test knows: they may lose their password, their sessions and their factors."""
    return new_company().owner


@pytest.fixture
def signed_in(new_person: NewPerson, company: Company) -> SignedIn:
    """Opens a window for somebody who has signed in before: for a role of the company, or for anybody."""

    def new(who: str | Account = "owner", **window: Any) -> Person:
        person = new_person(**window)
        person.keep((company.member(who) if isinstance(who, str) else who).session)
        return person

    return new


@pytest.fixture
def clerk(new_client: Callable[[], Client], company: Company) -> Client:
    """The owner without a browser: quick at entering what a test then works with."""
    client = new_client()
    client.keep(SESSION, company.owner.session)
    return client


@pytest.fixture
def axe(browser: Browser, new_person: NewPerson) -> Callable[..., None]:
    """Holds the page that a person is on against every accessibility rule, or those of colours."""

    def check(person: Person, *, only_colours: bool = False) -> None:
        accessibility.check(browser, person.page, scripted=person.javascript, only_colours=only_colours)

    return check


@pytest.fixture
def look(
    axe: Callable[..., None], screenshot: Callable[[Page, str], Path], request: pytest.FixtureRequest
) -> looks.Look:
    """Holds the page that somebody is on, as it is now, against every rule; `make screens` keeps its pictures, too."""
    # Nobody looks at the pictures of all tests, and they take their time.
    keep = screenshot if request.config.option.markexpr == "screens" else None

    def at(person: Person, name: str, *, rules: bool = True) -> None:
        looks.look(person, name, axe if rules else None, keep)

    return at


@pytest.fixture
def screenshot() -> Callable[[Page, str], Path]:
    """Keeps a picture of the whole page as target/screens/NAME.png."""
    return _keep


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Any:
    report = yield
    if report.failed:
        item.failed = True  # type: ignore[attr-defined]
    return report


def _keep(page: Page, name: str) -> Path:
    place = SCREENS / f"{name}.png"
    place.parent.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=place, full_page=True)
    return place
