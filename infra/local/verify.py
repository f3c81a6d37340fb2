"""`make test` and `make check`, once what they need is there."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from .console import Stop, say, step
from .settings import LAMBDA_DIR, ROOT, TEMPLATE, VENV, Settings

BROWSER_TESTS = ROOT / "tests" / "browser"


def test(settings: Settings, filters: list[str], chromium: Path | None) -> None:
    """All tests, against a local cloud of their own that is already up. With `filters`, only those whose name contains
    one of them, as `cargo test` has it; a browser test's name is `browser::sign_in::…` after its file."""
    environment = {"OPTLINE_STACK": str(settings.stack_json), "OPTLINE_BINS": str(LAMBDA_DIR)}
    selection = ["--workspace", "--lib", "--test", "it"]
    in_browser = browser_tests(filters)
    if not filters or not all(name.startswith("browser::") for name in filters):
        with step("Running the tests"):
            _cargo_test(selection, filters, environment, ignored=False, may_be_none=bool(filters and in_browser))
    if chromium and in_browser:
        with step("Running the tests in a browser"):
            _pytest(in_browser if filters else [str(BROWSER_TESTS)], settings, chromium)
    # After everything that plants something.
    if not filters:
        with step("Looking for what the tests planted, in clear"):
            _cargo_test(["--workspace", "--test", "it"], ["after_the_suite"], environment, ignored=True, may_be_none=False)
        with step("Running the documentation's tests"):
            _run(["cargo", "test", "--workspace", "--doc"], environment)


def screens(settings: Settings, filters: list[str], chromium: Path) -> None:
    """The pictures of the pages alone, on a cloud that is up."""
    selected = browser_tests(filters) if filters else [str(BROWSER_TESTS)]
    if not selected:
        raise Stop(f"No browser test is named like {' or '.join(filters)}.", "Their names: tests/browser/test_*.py")
    with step("Taking the pictures"):
        _pytest(["-m", "screens", *selected], settings, chromium)
    say(f"         They are in {(ROOT / 'target' / 'screens').relative_to(ROOT)}.")


def browser_tests(filters: list[str]) -> list[str]:
    """The browser tests whose name contains one of the filters, or all of them, as pytest calls them."""
    return [
        f"{file}::{test}"
        for file in sorted(BROWSER_TESTS.glob("test_*.py"))
        for test in re.findall(r"^def (test_\w+)", file.read_text(), flags=re.MULTILINE)
        if not filters or any(name in f"browser::{file.stem.removeprefix('test_')}::{test}" for name in filters)
    ]


def _pytest(arguments: list[str], settings: Settings, chromium: Path) -> None:
    environment = {"OPTLINE_STACK": str(settings.stack_json), "CHROMIUM": str(chromium)}
    _run([sys.executable, "-m", "pytest", f"--config-file={BROWSER_TESTS / 'pytest.ini'}", *arguments], environment)


def _cargo_test(
    selection: list[str], filters: list[str], environment: Mapping[str, str], *, ignored: bool, may_be_none: bool
) -> None:
    if shutil.which("cargo-nextest"):
        only = ["--run-ignored", "only"] if ignored else []
        none = ["--no-tests", "pass"] if may_be_none else []
        _run(["cargo", "nextest", "run", "--no-fail-fast", *selection, *only, *none, *filters], environment)
    else:
        only = ["--ignored"] if ignored else []
        _run(["cargo", "test", *selection, "--", *only, *filters], environment)


def check() -> None:
    """Everything that is true of the source without running it."""
    tools, analysers = Path(sys.executable).parent, VENV / "check" / "bin"
    region = {"AWS_DEFAULT_REGION": "us-east-1", "SAM_CLI_TELEMETRY": "0"}
    warnings = {"RUSTDOCFLAGS": "-D warnings"}
    steps: list[tuple[str, list[str], Mapping[str, str]]] = [
        ("Format", ["cargo", "fmt", "--all", "--check"], {}),
        ("Lints", ["cargo", "clippy", "--workspace", "--all-targets", "--", "-D", "warnings"], {}),
        ("Documentation", ["cargo", "doc", "--workspace", "--no-deps", "--lib"], warnings),
        ("Template: sam validate", [str(tools / "sam"), "validate", "--lint", "--template", str(TEMPLATE)], region),
        ("Template: cfn-lint", [str(tools / "cfn-lint"), str(TEMPLATE)], region),
        ("Template: checkov", _checkov(analysers), {}),
        # The whole workspace, because one package alone is built with other features and so from the start.
        ("Template against code", ["cargo", "test", "--workspace", "--test", "it", "template::"], {}),
    ]
    for name, command, environment in steps:
        with step(name):
            _run(command, environment)
    _deny(analysers / "cargo-deny")
    say("\nAll checks passed.")


def _checkov(analysers: Path) -> list[str]:
    # As a module: the installed script asks for `python` on PATH, which may be another one.
    return [
        str(analysers / "python"),
        "-m",
        "checkov.main",
        "--config-file",
        str(ROOT / "infra" / "checkov.yaml"),
        "--file",
        str(TEMPLATE),
    ]


def _deny(deny: Path) -> None:
    """Licences, sources and banned crates always; advisories where their database can be fetched."""
    with step("Dependencies: bans, licences, sources"):
        _run([str(deny), "check", "bans", "licenses", "sources"], {})
    with step("Dependencies: advisories"):
        if subprocess.run([str(deny), "fetch", "db"], cwd=ROOT, capture_output=True).returncode == 0:
            _run([str(deny), "check", "--disable-fetch", "advisories"], {})
        else:
            say("         skipped: the advisory database cannot be fetched from here")


def _run(command: list[str], environment: Mapping[str, str]) -> None:
    if subprocess.run(command, cwd=ROOT, env={**os.environ, **environment}).returncode != 0:
        raise Stop(f"Failed: {' '.join(command)}", "Its message is above.")
