"""The fixtures that the tests are told with."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from local import browser as chromium
from playwright.sync_api import Browser, Page, sync_playwright

from browser import axe as accessibility
from browser.cloud import ROOT, Cloud
from browser.mailbox import Mailbox
from browser.people import WIDE, NewPerson, Person
from browser.telephone import Telephone

SCREENS = ROOT / "target" / "screens"


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


@pytest.fixture
def axe(browser: Browser, new_person: NewPerson) -> Callable[[Person], None]:
    """Holds the page that a person is on against every accessibility rule."""
    return lambda person: accessibility.check(browser, person.page, scripted=person.javascript)


@pytest.fixture
def screenshot() -> Callable[[Page, str], Path]:
    """Keeps a picture of the whole page as target/screens/NAME.png."""
    return _keep


@pytest.fixture(scope="session")
def mailbox(cloud: Cloud) -> Mailbox:
    return Mailbox(cloud)


@pytest.fixture(scope="session")
def telephone(cloud: Cloud) -> Telephone:
    return Telephone(cloud)


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
