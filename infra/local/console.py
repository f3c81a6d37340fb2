"""What a person reads: one line per step with its time, and errors that say what to do next."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager


class Stop(Exception):
    """The command cannot go on; `remedy` is what the person can do about it."""

    def __init__(self, problem: str, remedy: str) -> None:
        super().__init__(problem)
        self.remedy = remedy


_started = time.monotonic()


def say(text: str) -> None:
    print(text, flush=True)


@contextmanager
def step(name: str, *, silent: bool = False) -> Iterator[None]:
    """Say what is being done and, at the end, how long it took and how long all has taken so far. `silent` is for what
    says nothing itself while it works: then a line every ten seconds says that it still does."""
    began = time.monotonic()
    say(f"[{began - _started:5.1f} s] {name} …")
    ended = threading.Event()
    if silent:
        threading.Thread(target=_still_working, args=(began, ended), daemon=True).start()
    try:
        yield
    finally:
        ended.set()
    now = time.monotonic()
    if now - began >= 1.0:
        say(f"[{now - _started:5.1f} s]   done in {now - began:.1f} s")


def _still_working(began: float, ended: threading.Event) -> None:
    while not ended.wait(10):
        now = time.monotonic()
        say(f"[{now - _started:5.1f} s]   still at it after {now - began:.0f} s")


def fail(stop: Stop) -> int:
    print(f"\n✗ {stop}\n  {stop.remedy}", file=sys.stderr, flush=True)
    return 1
