"""What this machine must have before anything is started; each miss names its remedy."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess

from .console import Stop
from .settings import ROOT, Settings


def compilers() -> None:
    """Rust as pinned in rust-toolchain.toml, and a C compiler for aws-lc."""
    if shutil.which("cargo") is None:
        raise Stop("cargo was not found.", "Install Rust with rustup, then open a new terminal.")
    pinned = re.search(r'channel = "([^"]+)"', (ROOT / "rust-toolchain.toml").read_text())
    wanted = pinned.group(1) if pinned else "stable"
    found = subprocess.run(["rustc", "--version"], cwd=ROOT, capture_output=True, text=True)
    if found.returncode != 0:
        raise Stop(
            f"Rust {wanted} is not installed: {found.stderr.strip()}",
            f"Install it: rustup toolchain install {wanted} --component clippy --component rustfmt",
        )
    if f" {wanted} " not in found.stdout:
        raise Stop(
            f"This is {found.stdout.strip()}, and the project is built with Rust {wanted}.",
            f"Install it: rustup toolchain install {wanted}. Without rustup, put that version first on PATH.",
        )
    if not any(shutil.which(name) for name in (os.environ.get("CC", "cc"), "cc", "gcc", "clang")):
        raise Stop(
            "No C compiler was found; the cryptography library (aws-lc) is written in C.",
            "Install one, for example: sudo apt-get install gcc libc6-dev, or on a Mac: xcode-select --install",
        )


def port_free(port: int, what: str, variable: str) -> None:
    """Fail early when somebody else listens there."""
    with socket.socket() as probe:
        probe.settimeout(1)
        if probe.connect_ex(("127.0.0.1", port)) == 0:
            raise Stop(
                f"Port {port}, meant for {what}, is taken by another program.",
                f"Stop it (lsof -i :{port} names it), or choose another port: make up {variable}={port + 1000}",
            )


def ports_free(settings: Settings) -> None:
    port_free(settings.port, "the local cloud", "PORT")
    port_free(settings.standins_port, "the stand-ins", "STANDINS_PORT")
