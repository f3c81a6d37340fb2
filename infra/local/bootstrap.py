"""Makes the virtual environment that all other commands run in. Standard library only: it runs before there is one.

`python3 infra/local/bootstrap.py check` also makes the one with the analysers that `make check` needs, and
`python3 infra/local/bootstrap.py browser` adds what the browser tests need.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
VENV = HERE.parents[1] / ".venv"

OLDEST_PYTHON = (3, 10)


def stop(problem: str, remedy: str) -> None:
    print(f"\n✗ {problem}\n  {remedy}", file=sys.stderr)
    raise SystemExit(1)


def make(venv: Path, requirements: Path) -> None:
    """Install exactly what the requirements pin; do nothing when that was done before."""
    wanted = hashlib.sha256(requirements.read_bytes() + sys.version.encode()).hexdigest()
    stamp = venv / f"installed-{requirements.stem}.sha256"
    if stamp.is_file() and stamp.read_text() == wanted:
        return
    began = time.monotonic()
    place = venv.relative_to(VENV.parent)
    print(f"Installing {requirements.name} into {place} (once, one to two minutes) …", flush=True)
    try:
        import ensurepip  # noqa: F401  (Debian splits it off)
        import venv as venv_module
    except ImportError:
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        stop(
            "This Python cannot make virtual environments.",
            f"Install its venv module, for example: sudo apt-get install python{version}-venv",
        )
    venv_module.EnvBuilder(with_pip=True, clear=False, symlinks=True).create(venv)
    command = [str(venv / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    if subprocess.run([*command, "--requirement", str(requirements)]).returncode != 0:
        stop(
            "The Python packages could not be installed.",
            "Read pip's message above; it needs the Python package index, or a mirror named in pip's configuration.",
        )
    stamp.write_text(wanted)
    print(f"  done in {time.monotonic() - began:.0f} s", flush=True)


def main() -> None:
    if sys.version_info < OLDEST_PYTHON:
        stop(
            f"Python {sys.version.split()[0]} is too old.",
            "Install Python 3.10 or later, or name one: make up PYTHON=python3.12",
        )
    make(VENV, HERE / "requirements.txt")
    # The analysers need other versions of the same packages, so they live apart.
    if "check" in sys.argv[1:]:
        make(VENV / "check", HERE / "requirements-check.txt")
    if "browser" in sys.argv[1:]:
        make(VENV, HERE / "requirements-browser.txt")


if __name__ == "__main__":
    main()
