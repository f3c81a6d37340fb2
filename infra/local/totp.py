"""Time-based one-time codes (RFC 6238), as an authenticator app makes them: HMAC-SHA-1, six digits, thirty seconds."""

from __future__ import annotations

import base64
import hashlib
import hmac
import time

STEP_SECONDS = 30


def code(secret: str, at: float | None = None) -> str:
    """The code of that moment, or of now. `secret` is base32 as a page shows it: spaces and missing padding are fine."""
    letters = secret.replace(" ", "").upper()
    key = base64.b32decode(letters + "=" * (-len(letters) % 8))
    step = int((time.time() if at is None else at) // STEP_SECONDS)
    digest = hmac.new(key, step.to_bytes(8, "big"), hashlib.sha1).digest()
    start = digest[-1] & 0x0F
    return f"{(int.from_bytes(digest[start : start + 4], 'big') & 0x7FFFFFFF) % 1_000_000:06}"


def seconds_left(at: float | None = None) -> int:
    """How long the code of that moment is still good."""
    return STEP_SECONDS - int(time.time() if at is None else at) % STEP_SECONDS


class App:
    """An authenticator app whose person is quicker than most: a code is taken once only, but the one before and the one
    after are good as well, so three can be used at once before it has to wait."""

    def __init__(self, secret: str) -> None:
        self.secret = secret
        self._last_step = 0

    def unused(self) -> str:
        """A code that is good now and has not been given out before."""
        while True:
            # The one before is refused as soon as the next step begins: not when that is about to happen.
            first = int(time.time() + 2) // STEP_SECONDS - 1
            step = max(first, self._last_step + 1)
            if step <= int(time.time()) // STEP_SECONDS + 1:
                self._last_step = step
                return code(self.secret, step * STEP_SECONDS)
            time.sleep(0.5)
