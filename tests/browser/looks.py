"""Looking at a page as it is now: on every size of screen, by day and by night."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from playwright.sync_api import Locator, Page

from browser.people import PHONE, WIDE, Person


class Look(Protocol):
    """Looks at the page that somebody is on."""

    def __call__(self, person: Person, name: str, *, rules: bool = True) -> None: ...


# WCAG 1.4.10: a page reflows down to this width.
NARROWEST = (320, 740)
# Tablets, on which tables have just room enough, or just not.
BETWEEN = [(700, 900), (820, 1100), (1024, 768), (1180, 820)]


def look(
    person: Person, name: str, axe: Callable[..., None] | None, screenshot: Callable[[Page, str], Path] | None
) -> None:
    """Hold the page that somebody is on against every rule, and keep its pictures, NAME-360-light and so on. Either is
    left out where there is nothing to do it with."""
    page, failed = person.page, []
    page.evaluate("scrollTo(0, 0)")
    for size in (NARROWEST, *BETWEEN, PHONE, WIDE):
        page.set_viewport_size({"width": size[0], "height": size[1]})
        widest = page.evaluate("document.scrollingElement.scrollWidth")
        if widest > size[0]:
            failed.append(f"{name} is {widest} px wide on a screen of {size[0]}: {overflowing(page)}")
        if size not in (PHONE, WIDE):
            continue
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
            if screenshot:
                screenshot(page, f"{name}-{size[0]}-{scheme}")
            # By night a telephone shows the colours of the wide screen, where more of them are seen.
            if not axe or (size, scheme) == (PHONE, "dark"):
                continue
            try:
                # At night only colours are different.
                axe(person, only_colours=scheme == "dark")
            except AssertionError as violations:
                failed.append(f"{name} at {size[0]} px, {scheme}: {violations}")
    page.emulate_media(color_scheme="light")
    assert not failed, "\n".join(failed)


def overflowing(page: Page) -> list[str]:
    """What reaches beyond the right edge, and nothing that only holds such things."""
    found: list[str] = page.evaluate(
        """() => [...document.querySelectorAll("body *")]
            .filter(it => it.getBoundingClientRect().right > innerWidth + 1)
            .filter(it => ![...it.children].some(child => child.getBoundingClientRect().right > innerWidth + 1))
            .slice(0, 5).map(it => it.outerHTML.slice(0, 120))"""
    )
    return found


def opens(disclosures: Locator) -> None:
    """Open what is closed."""
    for disclosure in disclosures.all():
        disclosure.evaluate("it => { it.open = true; }")
