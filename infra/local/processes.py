"""Processes that outlive the command that started them, and are ended only by who can prove to have started them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path

from .console import Stop


def _started_at(pid: int) -> str | None:
    """When that process began, in the system's own words; None when there is none. A reused pid has another time."""
    stat = Path(f"/proc/{pid}/stat")
    if stat.exists():
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            return None
        # Field 3 is the state and field 22 the start time (proc(5)); a zombie is as good as gone.
        return None if fields[0] == "Z" else fields[19]
    if Path("/proc/self").exists():
        return None
    found = subprocess.run(["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True)
    return found.stdout.strip() or None


class Process:
    """One background process of a local cloud, known by its pid file."""

    def __init__(self, name: str, home: Path) -> None:
        self.name = name
        self.pid_file = home / f"{name}.pid"
        self.log = home / "logs" / f"{name}.log"

    def running(self) -> int | None:
        """Its pid, when the process in the pid file is the one that we started."""
        try:
            known = json.loads(self.pid_file.read_text())
        except (OSError, ValueError):
            return None
        pid = int(known["pid"])
        return pid if _started_at(pid) == known["started_at"] else None

    def outdated(self, program: Path) -> bool:
        """Whether what it was started from has been changed since."""
        return self.running() is not None and program.stat().st_mtime > self.pid_file.stat().st_mtime

    def start(self, command: Sequence[str], env: Mapping[str, str], cwd: Path) -> None:
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            child = subprocess.Popen(
                command,
                env=dict(env),
                cwd=cwd,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.pid_file.write_text(json.dumps({"pid": child.pid, "started_at": _started_at(child.pid)}))

    def wait_for(self, url: str, seconds: float) -> None:
        """Wait until it answers 200."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            try:
                with urllib.request.urlopen(url, timeout=2) as answer:
                    if answer.status == 200:
                        return
            except (urllib.error.URLError, OSError):
                pass
            if self.running() is None:
                break
            time.sleep(0.2)
        tail = "\n    ".join(self.log.read_text(errors="replace").splitlines()[-12:]) if self.log.exists() else ""
        raise Stop(f"{self.name} did not answer at {url}. Its last words:\n    {tail}", f"All of them: {self.log}")

    def stop(self, seconds: float = 30.0) -> bool:
        """Ask it to end, so that it can save its state; False when it was not running."""
        pid = self.running()
        if pid is None:
            self.pid_file.unlink(missing_ok=True)
            return False
        os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + seconds
        while self.running() is not None:
            if time.monotonic() > deadline:
                os.kill(pid, signal.SIGKILL)
                break
            time.sleep(0.1)
        self.pid_file.unlink(missing_ok=True)
        return True
