"""`make deploy ENV=…`: release bins for arm64, and the template to AWS."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import ClientError

from . import aws, operate
from .build import function_bins
from .console import Stop, say, step
from .settings import LAMBDA_DIR, ROOT

# A first deployment without a domain of its own: the API's address is known only afterwards.
PENDING = "https://pending.invalid"


def deploy(env: str) -> None:
    parameters = operate.environment(env)
    tools = Path(sys.executable).parent
    environment = {**os.environ, "PATH": f"{tools}{os.pathsep}{os.environ.get('PATH', '')}"}
    with step("Building release bins for arm64"):
        packages = ["--package", "voice", "--package", "jobs"]
        command = ["cargo", "lambda", "build", "--release", "--arm64", "--bins", *packages]
        _run([*command, "--lambda-dir", str(LAMBDA_DIR)], environment, "The build failed.")
    missing = [name for name in function_bins() if not (LAMBDA_DIR / name / "bootstrap").exists()]
    if missing:
        raise Stop(f"cargo lambda did not build {', '.join(missing)}.", "Read its messages above.")

    session = boto3.Session(region_name=parameters.get("region"), profile_name=parameters.get("profile"))
    cloudformation, stack_name = session.client("cloudformation"), parameters["stack_name"]
    overrides = [str(override) for override in parameters.get("parameter_overrides", [])]
    own_address = any(override.startswith("PublicBaseUrl=") for override in overrides)
    address = None if own_address else _address(cloudformation, stack_name) or PENDING
    _sam_deploy(env, tools, environment, overrides, address)
    if address == PENDING:
        _sam_deploy(env, tools, environment, overrides, _address(cloudformation, stack_name))

    with step("Protecting the stack from deletion, and letting alarms select by tag"):
        cloudformation.update_termination_protection(StackName=stack_name, EnableTerminationProtection=True)
        _let_alarms_select_by_tag(session.client("observabilityadmin"))
    with step("Setting up the operator's own account, for calls that reach no business"):
        operate.provision(session.client("lambda"), stack_name, {"platform": {}})
    base = aws.outputs(cloudformation, stack_name)["PublicBaseUrl"]
    say(
        f"\n{stack_name} is deployed. In Twilio, set for each number:"
        f"\n  a call comes in       POST {base}/voice/answer#rc=2&rp=all"
        f"\n  primary handler fails POST {base}/voice/fallback, or infra/fallback.xml hosted away from this stack"
        f"\n  call status changes   POST {base}/voice/call-status#rc=3&rp=all"
        f"\nOnce: make secret ENV={env}, then make tenant ENV={env} FILE=…"
    )


def _let_alarms_select_by_tag(client: Any) -> None:
    """Once for the account and region, and so not part of a stack whose end would switch it off for others."""
    try:
        if client.get_telemetry_enrichment_status()["Status"] != "Running":
            client.start_telemetry_enrichment()
    except ClientError as why:
        say(
            f"         ✗ {why}\n         The alarms on errors and throttles see nothing until CloudWatch's setting "
            "“resource tags on telemetry” is on: turn it on in its console, or deploy with the permission to."
        )


def _sam_deploy(env: str, tools: Path, environment: dict[str, str], overrides: list[str], address: str | None) -> None:
    command = [str(tools / "sam"), "deploy", f"--config-env={env}", "--no-fail-on-empty-changeset"]
    if address:
        # On the command line the list replaces the file's, so it is given whole.
        command += ["--parameter-overrides", *overrides, f"PublicBaseUrl={address}"]
    with step(f"Deploying to {env}"):
        _run(command, {**environment, "SAM_CLI_TELEMETRY": "0"}, "The deployment failed.")


def _address(cloudformation: Any, stack_name: str) -> str | None:
    try:
        return aws.outputs(cloudformation, stack_name)["ApiEndpoint"]
    except cloudformation.exceptions.ClientError:
        return None


def _run(command: list[str], environment: dict[str, str], problem: str) -> None:
    if subprocess.run(command, cwd=ROOT, env=environment).returncode != 0:
        raise Stop(problem, "Read the messages above; nothing after this step was done.")
