"""All bins in one cargo call, and each function's as `target/lambda/<bin>/bootstrap`, where the template looks."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
from pathlib import Path

from .console import Stop, step
from .settings import LAMBDA_DIR, ROOT, target_dir

TOOLS = ("standins", "phone", "verify-audit")
# Where the stripped copies came from, so that an unchanged bin is not stripped, hashed and zipped again.
STAMPS = LAMBDA_DIR / "copied.json"


def function_bins() -> list[str]:
    """Every function, by its source file: bins are found in `src/bin`."""
    sources = ROOT.glob("functions/*/src/bin/*.rs")
    return sorted(source.stem for source in sources)


def build() -> None:
    with step("Building all bins (the first time takes minutes; cargo shows which)"):
        domains = {source.parents[2].name for source in ROOT.glob("functions/*/src/bin/*.rs")}
        packages = [argument for name in (*sorted(domains), *TOOLS) for argument in ("--package", name)]
        if subprocess.run(["cargo", "build", "--bins", *packages], cwd=ROOT).returncode != 0:
            raise Stop("The build failed.", "Read the compiler's message above.")


def copy_bootstraps() -> dict[str, str]:
    """Put each function's stripped bin in its place; return the hash of each."""
    stamps = _stamps()
    hashes = {}
    for name in function_bins():
        source, place = target_dir() / "debug" / name, LAMBDA_DIR / name / "bootstrap"
        if not source.exists():
            raise Stop(f"{source} is missing.", "Build it: make up without BUILD=no")
        known = stamps.get(name, {})
        # `make deploy` puts bins for another processor in the same place, so the copy is looked at too.
        if known.get("source") != _stamp(source) or known.get("copy") != _stamp(place):
            place.parent.mkdir(parents=True, exist_ok=True)
            _strip(source, place)
            content = hashlib.sha256(place.read_bytes()).hexdigest()
            stamps[name] = known = {"source": _stamp(source), "copy": _stamp(place), "hash": content}
        hashes[name] = known["hash"]
    STAMPS.parent.mkdir(parents=True, exist_ok=True)
    STAMPS.write_text(json.dumps(stamps, indent=1))
    return hashes


def _stamp(file: Path) -> str:
    """Changes whenever the file does, without reading it."""
    if not file.exists():
        return "none"
    stat = file.stat()
    return f"{stat.st_mtime_ns} {stat.st_size}"


def _stamps() -> dict[str, dict[str, str]]:
    try:
        stamps: dict[str, dict[str, str]] = json.loads(STAMPS.read_text())
    except (OSError, ValueError):
        return {}
    return stamps


def _strip(source: Path, place: Path) -> None:
    """Debug information is most of a bin and only slows the deployment down; without `strip` it goes along."""
    fresh = place.with_name("bootstrap.new")
    strip = shutil.which("strip")
    if strip is None or subprocess.run([strip, "-o", str(fresh), str(source)], capture_output=True).returncode != 0:
        shutil.copyfile(source, fresh)
    fresh.chmod(0o755)
    fresh.replace(place)
