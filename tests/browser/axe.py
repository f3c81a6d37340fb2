"""Accessibility: axe-core's rules for WCAG 2.2 A and AA and its best practices, and no violation of any."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import axe_playwright_python
from playwright.sync_api import Browser, Page

SOURCE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text()

RULES = {
    "runOnly": {
        "type": "tag",
        "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa", "best-practice"],
    },
    "resultTypes": ["violations"],
}


COLOURS = {
    "runOnly": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]},
    "resultTypes": ["violations"],
}


def check(browser: Browser, page: Page, *, scripted: bool = True, only_colours: bool = False) -> None:
    """Fail with every violation on the page as it is now, and where it is."""
    rules = COLOURS if only_colours else RULES
    violations = _violations(page, rules) if scripted else _violations_without_scripts(browser, page, rules)
    assert not violations, f"{page.url} is not accessible:\n" + "\n".join(map(_told, violations))


def _violations(page: Page, rules: dict[str, Any]) -> list[dict[str, Any]]:
    if not page.evaluate("'axe' in window"):
        # Evaluated, not added as an element: the pages' own policy allows no script but theirs.
        page.evaluate(SOURCE)
    violations: list[dict[str, Any]] = page.evaluate("rules => axe.run(document, rules)", rules)["violations"]
    return violations


def _violations_without_scripts(browser: Browser, page: Page, rules: dict[str, Any]) -> list[dict[str, Any]]:
    """axe-core is a script itself. Where none may run, look at the same document, its own scripts taken out and its
    `noscript` laid open, in a window where they may."""
    document = re.sub(r"<script\b.*?</script\s*>", "", page.content(), flags=re.DOTALL | re.IGNORECASE)
    document = re.sub(r"</?noscript\b[^>]*>", "", document, flags=re.IGNORECASE)
    style = page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light'")
    context = browser.new_context(viewport=page.viewport_size, color_scheme=style)
    try:
        context.add_cookies([{**cookie} for cookie in page.context.cookies()])
        copy = context.new_page()
        copy.route(page.url, lambda route: route.fulfill(body=document, content_type="text/html; charset=utf-8"))
        copy.goto(page.url)
        return _violations(copy, rules)
    finally:
        context.close()


def _told(violation: dict[str, Any]) -> str:
    places = "".join(f"\n      {node['html'][:200]}\n        {_reason(node)}" for node in violation["nodes"])
    return f"  {violation['id']} ({violation['impact']}): {violation['help']}{places}"


def _reason(node: dict[str, Any]) -> str:
    checks = [*node["any"], *node["all"], *node["none"]]
    return "; ".join(check["message"] for check in checks) or " ".join(map(str, node["target"]))
