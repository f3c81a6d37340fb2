"""A Chromium for the browser tests: one that is there, else one that is installed; and how it is started."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from .console import Stop, say, step

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ON_A_MAC = (
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
)

# Nothing is looked up, updated or sent: whatever is not on this machine does not exist.
FLAGS = (
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE *.localhost, EXCLUDE localhost",
)


def flags() -> list[str]:
    """What Chromium is started with. Its sandbox cannot be had by root."""
    return [*FLAGS, *(["--no-sandbox"] if _is_root() else [])]


def chromium() -> Path:
    """A Chromium that starts; installed first where there is none."""
    named = os.environ.get("CHROMIUM")
    if named:
        found = shutil.which(named)
        if found is None or not _starts(Path(found)):
            raise Stop(f"CHROMIUM names {named}, which does not start.", "Name a Chromium or Chrome, or unset CHROMIUM.")
        return Path(found)
    return _present() or _installed()


def _present() -> Path | None:
    candidates = [Path(found) for name in NAMES if (found := shutil.which(name))]
    candidates += [Path(place) for place in ON_A_MAC] + _playwrights_own()
    return next((browser for browser in candidates if browser.exists() and _starts(browser)), None)


def _installed() -> Path:
    apt = _apt_get()
    if apt:
        with step("Installing Chromium with apt-get (once)", silent=True):
            # An index that cannot be renewed may still know the package.
            subprocess.run([*apt, "update", "-qq"], stdout=subprocess.DEVNULL)
            packages = ["chromium", "fonts-liberation"]
            command = [*apt, "install", "--yes", "-qq", "--no-install-recommends", *packages]
            subprocess.run(command, stdout=subprocess.DEVNULL, env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"})
        if browser := _present():
            return browser
        say("         apt-get did not bring one")
    with step("Installing Playwright's own Chromium (once)", silent=True):
        subprocess.run([sys.executable, "-m", "playwright", "install", "chromium"], stdout=subprocess.DEVNULL)
    if browser := _present():
        return browser
    raise Stop(
        "The browser tests need Chromium, and none could be installed.",
        "Install Chromium or Chrome (for example: sudo apt-get install chromium), or name one: "
        "CHROMIUM=/path/to/chromium make test",
    )


def _apt_get() -> list[str] | None:
    """`apt-get`, where it can be run without asking anybody for a password."""
    if shutil.which("apt-get") is None:
        return None
    if _is_root():
        return ["apt-get"]
    if shutil.which("sudo") and subprocess.run(["sudo", "-n", "true"], capture_output=True).returncode == 0:
        return ["sudo", "-n", "apt-get"]
    return None


def _playwrights_own() -> list[Path]:
    """Where `playwright install chromium` puts its browser."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        return [Path(playwright.chromium.executable_path)]


def _starts(browser: Path) -> bool:
    """Whether it says its version: a wrapper without its browser, as Ubuntu's packages may leave, does not."""
    try:
        said = subprocess.run([str(browser), "--version"], capture_output=True, text=True, timeout=30)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return said.returncode == 0 and "Chrom" in said.stdout


def _is_root() -> bool:
    return hasattr(os, "geteuid") and os.geteuid() == 0
