"""The commands behind the Makefile: `python -m local <command>`."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError, EndpointConnectionError

from . import browser, build, cloud, demo, deploy, operate, outcome, prepare, release, stack, verify
from .console import Stop, fail, say
from .settings import ROOT, Settings, target_dir

DEVELOPERS = ("local", 4566, 4580)
# The tests' own cloud, so that a developer's running one and its data stay as they are.
TESTS = ("test-cloud", 4666, 4680)


def settings(options: argparse.Namespace, defaults: tuple[str, int, int]) -> Settings:
    home, port, standins_port = defaults
    return Settings(
        home=ROOT / "target" / home,
        port=options.port or port,
        standins_port=options.standins_port or standins_port,
    )


def up(local: Settings, *, fresh: bool, built: bool, demonstrate: bool) -> None:
    """Build, start and deploy what is missing or has changed."""
    prepare.compilers()
    if fresh:
        cloud.forget(local)
    if cloud.ministack(local).running() is None:
        prepare.ports_free(local)
    if not built:
        build.build()
    code = build.copy_bootstraps()
    demo.twilio(local)
    cloud.start(local)
    deploy.deploy(local, code)
    demo.provision(local)
    stack.write(local)
    if demonstrate:
        demo.call(local)
        demo.invitation(local)


def running(local: Settings) -> None:
    if not local.stack_json.exists():
        raise Stop("There is no local cloud.", "Start it: make up")


def tenant(target: operate.Target, options: argparse.Namespace) -> None:
    """`make tenant`: as a file describes it, or by its name and its owner's e-mail address."""
    if options.file:
        operate.provision_file(target, options.file)
    elif options.name and options.email:
        operate.provision_owner(target, options.name, options.email, options.slug)
    else:
        raise Stop(
            "Which tenant?",
            "make tenant NAME='Blue Harbor Outfitters' EMAIL=kim@blueharbor.example, or make tenant FILE=tenant.json",
        )


def run_phone(local: Settings, arguments: list[str]) -> int:
    """`make call`: a person plays the caller."""
    running(local)
    phone = target_dir() / "debug" / "phone"
    call_file = local.home / "call.json"
    call_file.unlink(missing_ok=True)
    environment = {**os.environ, "OPTLINE_STACK": str(local.stack_json)}
    code = subprocess.run([str(phone), "call", "--call-file", str(call_file), *arguments], env=environment).returncode
    if call_file.exists():
        outcome.show(local, call_file)
    return code


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(prog="local", description=__doc__)
    top.add_argument("--port", type=int, help="port of the local cloud")
    top.add_argument("--standins-port", type=int, help="port of the stand-ins")
    commands = top.add_subparsers(dest="command", required=True)
    start = commands.add_parser("up")
    start.add_argument("--fresh", action="store_true", help="throw the data away and start over")
    start.add_argument("--no-build", action="store_true", help="take the bins as they are")
    commands.add_parser("down")
    commands.add_parser("call").add_argument("arguments", nargs="*")
    tests = commands.add_parser("test")
    tests.add_argument("--no-build", action="store_true")
    tests.add_argument("filters", nargs="*")
    commands.add_parser("screens").add_argument("filters", nargs="*")
    commands.add_parser("codes")
    commands.add_parser("check")
    logs = commands.add_parser("logs")
    logs.add_argument("function")
    logs.add_argument("--since", type=int, default=60, help="minutes")
    logs.add_argument("--no-follow", action="store_true")
    logs.add_argument("--env")
    replay = commands.add_parser("replay")
    replay.add_argument("queue")
    replay.add_argument("--env")
    tenant = commands.add_parser("tenant")
    tenant.add_argument("file", nargs="?")
    for part in ("--name", "--email", "--slug", "--env"):
        tenant.add_argument(part)
    audit = commands.add_parser("verify-audit")
    audit.add_argument("tenant")
    audit.add_argument("--env")
    recount = commands.add_parser("recount")
    recount.add_argument("tenant")
    recount.add_argument("--dry-run", action="store_true")
    recount.add_argument("--env")
    replay_usage = commands.add_parser("replay-usage")
    replay_usage.add_argument("tenant")
    replay_usage.add_argument("first")
    replay_usage.add_argument("last")
    replay_usage.add_argument("--dry-run", action="store_true")
    replay_usage.add_argument("--env")
    for name in ("close-account", "reopen-account"):
        account = commands.add_parser(name)
        account.add_argument("tenant")
        account.add_argument("--env")
    report = commands.add_parser("reconcile-report")
    report.add_argument("tenant", nargs="?")
    report.add_argument("--days", type=int, default=7)
    report.add_argument("--env")
    jobs = commands.add_parser("jobs")
    jobs.add_argument("job", nargs="?")
    jobs.add_argument("--last", type=int, default=30)
    jobs.add_argument("--run", action="store_true")
    for part in ("--at", "--tenant", "--env"):
        jobs.add_argument(part)
    commands.add_parser("secret").add_argument("--env", required=True)
    commands.add_parser("deploy").add_argument("env")
    return top


def run(options: argparse.Namespace) -> int:
    local = settings(options, TESTS if options.command == "test" else DEVELOPERS)
    match options.command:
        case "up":
            up(local, fresh=options.fresh, built=options.no_build, demonstrate=True)
        case "down":
            cloud.stop(local)
            say("The local cloud is down; its data is kept. make up brings it back.")
        case "call":
            return run_phone(local, options.arguments)
        case "test":
            # First, because it may have to be installed, and nobody waits for a suite to hear that it cannot be.
            chromium = browser.chromium() if verify.browser_tests(options.filters) else None
            try:
                up(local, fresh=True, built=options.no_build, demonstrate=False)
                verify.test(local, options.filters, chromium)
            finally:
                cloud.stop(local)
        case "screens":
            running(local)
            verify.screens(local, options.filters, browser.chromium())
        case "codes":
            running(local)
            demo.credentials(local)
        case "check":
            verify.check()
        case "logs":
            operate.logs(operate.Target(local, options.env), options.function, options.since, not options.no_follow)
        case "jobs":
            target = operate.Target(local, options.env)
            if options.run:
                operate.run_job(target, options.job, options.at, options.tenant)
            else:
                operate.jobs(target, options.job, options.last)
        case "replay":
            operate.replay(operate.Target(local, options.env), options.queue)
        case "tenant":
            tenant(operate.Target(local, options.env), options)
        case "verify-audit":
            return operate.verify_audit(operate.Target(local, options.env), options.tenant)
        case "recount":
            operate.recount(operate.Target(local, options.env), options.tenant, look=options.dry_run)
        case "replay-usage":
            target = operate.Target(local, options.env)
            operate.replay_usage(target, options.tenant, options.first, options.last, look=options.dry_run)
        case "close-account" | "reopen-account":
            operate.close_account(
                operate.Target(local, options.env), options.tenant, reopen=options.command == "reopen-account"
            )
        case "reconcile-report":
            operate.reconcile_report(operate.Target(local, options.env), options.tenant, options.days)
        case "secret":
            operate.ask_secret(operate.Target(local, options.env))
        case "deploy":
            release.deploy(options.env)
    return 0


def main() -> int:
    try:
        return run(parser().parse_args())
    except Stop as stop:
        return fail(stop)
    except EndpointConnectionError as why:
        return fail(Stop(str(why), "Is the local cloud up? Start it: make up"))
    except (BotoCoreError, ClientError) as why:
        return fail(Stop(str(why), "Is that the right environment, and are these the credentials for it?"))
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    # Relative paths on the command line are the caller's, not this file's.
    os.chdir(Path(os.environ.get("PWD", ROOT)))
    sys.exit(main())
