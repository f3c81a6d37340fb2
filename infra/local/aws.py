"""Clients for one cloud: the local one, or AWS with the operator's own credentials."""

from __future__ import annotations

import os
import re
from typing import Any

import boto3
from botocore.config import Config

from .settings import REGION, ROOT_CREDENTIALS, Settings


def local(settings: Settings, service: str) -> Any:
    """A client of the local cloud, as its root."""
    client: Any = boto3.client  # whose stubs know each service by name only
    return client(
        service,
        endpoint_url=settings.endpoint,
        region_name=REGION,
        aws_access_key_id=ROOT_CREDENTIALS["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=ROOT_CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
        # A deployment of the local cloud can keep a call waiting; it is never tried twice behind our back.
        config=Config(read_timeout=300, retries={"total_max_attempts": 1}),
    )


def local_environment(settings: Settings) -> dict[str, str]:
    """The same for a command line tool."""
    inherited = {key: value for key, value in os.environ.items() if not key.startswith(("AWS_", "SAM_"))}
    cloud = {"AWS_ENDPOINT_URL": settings.endpoint, "AWS_DEFAULT_REGION": REGION}
    return inherited | ROOT_CREDENTIALS | cloud | {"SAM_CLI_TELEMETRY": "0"}


def resources(cloudformation: Any, stack_name: str) -> dict[str, tuple[str, str]]:
    """Logical id → (type, physical id) of all a stack's resources."""
    pages = cloudformation.get_paginator("list_stack_resources").paginate(StackName=stack_name)
    return {
        resource["LogicalResourceId"]: (resource["ResourceType"], resource["PhysicalResourceId"])
        for page in pages
        for resource in page["StackResourceSummaries"]
        if "PhysicalResourceId" in resource
    }


def outputs(cloudformation: Any, stack_name: str) -> dict[str, str]:
    stack = cloudformation.describe_stacks(StackName=stack_name)["Stacks"][0]
    return {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}


def kebab(resource: str) -> str:
    """`PushUsage` → `push-usage`."""
    return re.sub("(?<!^)(?=[A-Z])", "-", resource).lower()


def resource_name(bin_name: str) -> str:
    """`voice-answer` → `VoiceAnswer`: the bin's resource in the template."""
    return "".join(word.capitalize() for word in bin_name.split("-"))
