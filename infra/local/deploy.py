"""The production template on the local cloud: all of it the first time, and afterwards only what changed."""

from __future__ import annotations

import hashlib
import io
import json
import subprocess
import sys
import zipfile
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from . import aws, demo, routes
from .console import Stop, say, step
from .settings import API_ID, LAMBDA_DIR, REGION, ROOT, STACK_NAME, TEMPLATE, Settings, architecture


def deploy(settings: Settings, code: dict[str, str]) -> None:
    """Bring the local cloud to the template and the bins as they are now. `code` is the hash of each bin."""
    parameters = {
        "Stage": "local",
        "PublicBaseUrl": settings.base_url,
        "TwilioBaseUrl": settings.standins_url,
        "StripeBaseUrl": settings.standins_url,
        "CaptchaBaseUrl": f"{settings.standins_url}/captcha",
        "HotlineNumber": demo.SHARED_NUMBER,
        "Architecture": architecture(),
    }
    template = _hash(TEMPLATE.read_bytes() + json.dumps(parameters).encode())
    last = _last(settings)
    cloudformation = aws.local(settings, "cloudformation")
    running = last.get("code", {})
    if last.get("template") != template or not _exists(cloudformation):
        with step(f"Deploying the template with {len(code)} functions", silent=True):
            _sam_deploy(settings, parameters)
        # CloudFormation replaces the code of a function whose package differs from the one it deployed last, and does
        # not see what was updated past it since.
        packaged = last.get("packaged", {})
        running = {name: code[name] if packaged.get(name) != code[name] else running.get(name, "") for name in code}
        last = {"template": template, "packaged": code}
        with step("Adding the API's routes"):
            _routes(settings, cloudformation)
    changed = sorted(name for name in code if running.get(name) != code[name])
    if changed:
        with step(f"Updating the code of {len(changed)} functions: {', '.join(changed)}", silent=True):
            _update_code(settings, changed)
    elif last.get("code") == code:
        say("         Nothing changed since the last deployment.")
    settings.deployed_json.write_text(json.dumps(last | {"code": code}, indent=1))


def _sam_deploy(settings: Settings, parameters: dict[str, str]) -> None:
    log = settings.logs / "sam-deploy.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    command = [
        sys.executable,
        "-m",
        "local.sam",
        "deploy",
        f"--template-file={TEMPLATE}",
        f"--stack-name={STACK_NAME}",
        f"--region={REGION}",
        "--resolve-s3",
        "--capabilities=CAPABILITY_IAM",
        "--no-confirm-changeset",
        "--no-fail-on-empty-changeset",
        "--no-progressbar",
        "--disable-rollback",
        f"--tags=ms-custom-id={API_ID}",
        "--parameter-overrides",
        *(f"{key}={value}" for key, value in parameters.items()),
    ]
    environment = aws.local_environment(settings) | {"PYTHONPATH": str(ROOT / "infra")}
    with log.open("wb") as out:
        done = subprocess.run(command, cwd=ROOT, env=environment, stdout=out, stderr=subprocess.STDOUT)
    if done.returncode != 0:
        raise Stop(
            "The template could not be deployed to the local cloud:\n    "
            + "\n    ".join(log.read_text(errors="replace").splitlines()[-15:]),
            f"All of it: {log}. A new start: make up FRESH=1",
        )


def _routes(settings: Settings, cloudformation: Any) -> None:
    processed = cloudformation.get_template(StackName=STACK_NAME, TemplateStage="Processed")["TemplateBody"]
    physical = aws.resources(cloudformation, STACK_NAME)
    functions = {
        logical: f"arn:aws:lambda:{REGION}:000000000000:function:{name}"
        for logical, (kind, name) in physical.items()
        if kind == "AWS::Lambda::Function"
    }
    routes.make(aws.local(settings, "apigatewayv2"), API_ID, routes.wanted(processed), functions)


def _update_code(settings: Settings, names: list[str]) -> None:
    client = aws.local(settings, "lambda")

    def update(name: str) -> None:
        package = io.BytesIO()
        with zipfile.ZipFile(package, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
            entry = zipfile.ZipInfo("bootstrap")
            entry.external_attr = 0o100755 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, (LAMBDA_DIR / name / "bootstrap").read_bytes())
        client.update_function_code(FunctionName=f"{STACK_NAME}-{name}", ZipFile=package.getvalue())

    with ThreadPoolExecutor(max_workers=4) as pool:
        list(pool.map(update, names))


def _exists(cloudformation: Any) -> bool:
    try:
        status = cloudformation.describe_stacks(StackName=STACK_NAME)["Stacks"][0]["StackStatus"]
    except cloudformation.exceptions.ClientError:
        return False
    return status in ("CREATE_COMPLETE", "UPDATE_COMPLETE")


def _last(settings: Settings) -> dict[str, Any]:
    try:
        last: dict[str, Any] = json.loads(settings.deployed_json.read_text())
    except (OSError, ValueError):
        return {}
    return last


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
