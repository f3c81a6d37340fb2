"""Where a local cloud lives and on which ports: one object, made once from the command line."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TEMPLATE = ROOT / "template.yaml"
LAMBDA_DIR = ROOT / "target" / "lambda"
VENV = ROOT / ".venv"

REGION = "us-east-1"
STACK_NAME = "optline-local"
# MiniStack takes the API's id from this tag; it must be eight hexadecimal digits.
API_ID = "ca11ab1e"
# MiniStack's root credentials.
ROOT_CREDENTIALS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}


@dataclass(frozen=True)
class Settings:
    """One local cloud. The developer's and the tests' differ in home and ports, and never touch each other."""

    home: Path
    port: int
    standins_port: int

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def standins_url(self) -> str:
        return f"http://127.0.0.1:{self.standins_port}"

    @property
    def shop_origin(self) -> str:
        """A site of a business's own, with the form in its page: browsers take it for another site than the product."""
        return f"http://blue-harbor.localhost:{self.standins_port}"

    @property
    def base_url(self) -> str:
        return f"http://{API_ID}.execute-api.localhost:{self.port}"

    @property
    def state(self) -> Path:
        """What MiniStack keeps across restarts."""
        return self.home / "state"

    @property
    def logs(self) -> Path:
        return self.home / "logs"

    @property
    def stack_json(self) -> Path:
        return self.home / "stack.json"

    @property
    def deployed_json(self) -> Path:
        """What was deployed last, so that only what changed is deployed again."""
        return self.home / "deployed.json"

    @property
    def twilio_json(self) -> Path:
        """The made-up Twilio credentials of this cloud."""
        return self.home / "twilio.json"

    @property
    def stripe_json(self) -> Path:
        """The made-up Stripe credentials of this cloud."""
        return self.home / "stripe.json"

    @property
    def owners_json(self) -> Path:
        """What the demo tenants' owners chose when they accepted their invitations."""
        return self.home / "owners.json"


def target_dir() -> Path:
    """Where cargo puts what it builds."""
    return ROOT / os.environ.get("CARGO_TARGET_DIR", "target")


def architecture() -> str:
    """This machine's processor in Lambda's words: local bins are the host's own."""
    return "arm64" if platform.machine().lower() in ("arm64", "aarch64") else "x86_64"
