"""Where everything is: `stack.json`, as `make up` and `make test` write it."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Cloud:
    """One local cloud that is up."""

    stack_json: Path

    @classmethod
    def running(cls) -> Cloud:
        """The one that `OPTLINE_STACK` names, else that of `make up`."""
        return cls(Path(os.environ.get("OPTLINE_STACK", ROOT / "target" / "local" / "stack.json")))

    @cached_property
    def stack(self) -> dict[str, Any]:
        stack: dict[str, Any] = json.loads(self.stack_json.read_text())
        return stack

    @property
    def base_url(self) -> str:
        return str(self.stack["base_url"])

    @property
    def aws_endpoint(self) -> str:
        return str(self.stack["aws_endpoint"])

    @property
    def hosts(self) -> set[str]:
        """All that a page may speak to: the service itself, S3 for what is uploaded, and whoever checks for people."""
        return {urlsplit(url).netloc for url in (self.base_url, self.aws_endpoint, self.stack["standins"]["twilio"])}

    def shop(self, name: str) -> str:
        """The origin of a shop of that name. The stand-ins show the same shop under any."""
        return f"http://{name}.localhost:{self.shop_port}"

    @property
    def shop_port(self) -> int | None:
        return urlsplit(self.stack["standins"]["twilio"]).port

    def tenant(self, slug: str) -> dict[str, Any]:
        tenant: dict[str, Any] = next(tenant for tenant in self.stack["tenants"] if tenant["slug"] == slug)
        return tenant

    def owner(self, slug: str) -> dict[str, str]:
        """`email`, `password` and `totp_secret` of the demo tenant's owner."""
        owner: dict[str, str] = self.tenant(slug)["owner"]
        return owner

    def invoke(self, function: str, order: dict[str, Any]) -> Any:
        """What a function of the operator's answers."""
        name = self.stack["functions"][function]
        answer = self.aws("lambda").invoke(FunctionName=name, Payload=json.dumps(order).encode())
        result = json.loads(answer["Payload"].read() or b"null")
        assert not answer.get("FunctionError"), f"{function} failed: {result}"
        return result

    def aws(self, service: str) -> Any:
        """A client of the local cloud as its root, to look at what came of something."""
        return boto3.client(
            service,
            endpoint_url=self.aws_endpoint,
            region_name=self.stack["region"],
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )
