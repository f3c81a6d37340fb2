"""`make test` and `make check`, once what they need is there."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from .console import Stop, say, step
from .settings import ROOT, TEMPLATE, VENV, Settings


def test(settings: Settings, filters: list[str]) -> None:
    """All tests, against a local cloud of their own that is already up."""
    environment = {"OPTLINE_STACK": str(settings.stack_json)}
    selection = ["--workspace", "--lib", "--test", "it"]
    with step("Running the tests"):
        _cargo_test(selection, filters, environment, ignored=False)
    if not filters:
        with step("Looking for what the tests planted, in clear"):
            _cargo_test(["--workspace", "--test", "it"], ["after_the_suite"], environment, ignored=True)
        with step("Running the documentation's tests"):
            _run(["cargo", "test", "--workspace", "--doc"], environment)


def _cargo_test(selection: list[str], filters: list[str], environment: Mapping[str, str], *, ignored: bool) -> None:
    if shutil.which("cargo-nextest"):
        only = ["--run-ignored", "only"] if ignored else []
        _run(["cargo", "nextest", "run", *selection, *only, *filters], environment)
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
