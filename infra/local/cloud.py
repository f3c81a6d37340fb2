"""The processes of a local cloud: MiniStack, which plays AWS, and the stand-ins, which play Twilio and the like."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from .console import Stop, say, step
from .prepare import port_free
from .processes import Process
from .settings import REGION, ROOT, ROOT_CREDENTIALS, Settings, target_dir


def ministack(settings: Settings) -> Process:
    return Process("ministack", settings.home)


def standins(settings: Settings) -> Process:
    return Process("standins", settings.home)


def _environment(settings: Settings) -> dict[str, str]:
    """What MiniStack is told. Functions inherit it, so nothing of the developer's own environment is passed on:
    a variable that a function reads but the template does not set must be missing here too."""
    temporary = settings.home / "tmp"
    temporary.mkdir(parents=True, exist_ok=True)
    return {
        "PATH": os.environ.get("PATH", ""),
        "HOME": os.environ.get("HOME", ""),
        "LANG": "C.UTF-8",
        "TMPDIR": str(temporary),
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(settings.port),
        "AUTH": "true",
        "AWS_ENDPOINT_URL": settings.endpoint,
        "MINISTACK_REGION": REGION,
        "PERSIST_STATE": "1",
        "STATE_DIR": str(settings.state),
        "S3_PERSIST": "1",
        "S3_DATA_DIR": str(settings.state / "s3"),
        # Two services that would open ports of their own.
        "SFTP_ENABLED": "0",
        "IOT_MTLS_ENABLED": "0",
        **ROOT_CREDENTIALS,
    }


def start(settings: Settings) -> None:
    """Start what is not running or has been changed since, and wait until both answer."""
    aws, partners = ministack(settings), standins(settings)
    if aws.outdated(Path(__file__).with_name("ministack.py")):
        aws.stop()
    if aws.running() is None:
        port_free(settings.port, "the local cloud", "PORT")
        with step(f"Starting the local cloud on 127.0.0.1:{settings.port}"):
            command = [sys.executable, "-m", "local.ministack"]
            environment = {**_environment(settings), "PYTHONPATH": str(ROOT / "infra")}
            aws.start(command, environment, settings.home)
            aws.wait_for(f"{settings.endpoint}/_ministack/health", 60)

    binary = target_dir() / "debug" / "standins"
    if not binary.exists():
        raise Stop(f"{binary} is missing.", "Build it: cargo build -p standins")
    if partners.outdated(binary):
        partners.stop()
    if partners.running() is None:
        port_free(settings.standins_port, "the stand-ins", "STANDINS_PORT")
        with step(f"Starting the stand-ins on 127.0.0.1:{settings.standins_port}"):
            command = [str(binary), "--port", str(settings.standins_port)]
            command += ["--twilio-credentials", str(settings.twilio_json), "--stack", str(settings.stack_json)]
            partners.start(command, os.environ, settings.home)
            partners.wait_for(f"{settings.standins_url}/health", 20)


def stop(settings: Settings) -> None:
    """End both. The local cloud writes its state to disk as it ends; the next start reads it."""
    for process in (standins(settings), ministack(settings)):
        if process.stop():
            say(f"{process.name} stopped")


def forget(settings: Settings) -> None:
    """Throw the local cloud and its data away."""
    stop(settings)
    shutil.rmtree(settings.home, ignore_errors=True)
