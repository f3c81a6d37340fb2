"""`stack.json`: where everything is, for every tool and test."""

from __future__ import annotations

import json
from typing import Any

from . import aws, demo, owners
from .build import function_bins
from .settings import REGION, STACK_NAME, Settings


def write(settings: Settings) -> None:
    cloudformation = aws.local(settings, "cloudformation")
    physical = {logical: name for logical, (_, name) in aws.resources(cloudformation, STACK_NAME).items()}
    outputs = aws.outputs(cloudformation, STACK_NAME)
    iam = aws.local(settings, "iam")
    signed_up = owners.known(settings)
    bins = function_bins()
    dedicated = [number for tenant in demo.tenants() for number in tenant["numbers"]]
    document: dict[str, Any] = {
        "base_url": settings.base_url,
        # For clients that do not resolve *.localhost: connect here and send the address's host.
        "connect_to": f"127.0.0.1:{settings.port}",
        "aws_endpoint": settings.endpoint,
        "region": REGION,
        "stack_name": STACK_NAME,
        "twilio": {
            **demo.twilio(settings),
            "number": demo.SHARED_NUMBER,
            "api_base_url": settings.standins_url,
        },
        "voice": {
            "answer": f"{settings.base_url}/voice/answer",
            "fallback": f"{settings.base_url}/voice/fallback",
            "call_status": f"{settings.base_url}/voice/call-status",
        },
        "standins": {
            "twilio": settings.standins_url,
            "captcha": settings.standins_url,
            "shop": f"{settings.shop_origin}/shop",
            "mailbox": f"{settings.standins_url}/mailbox",
            "stripe": f"{settings.standins_url}/stripe",
        },
        "numbers": [
            {"number": demo.SHARED_NUMBER, "kind": "shared"},
            *(
                {"number": number["number"], "kind": "dedicated", "service_code": number["service-code"]}
                for number in dedicated
            ),
        ],
        "tenants": [
            {
                "slug": tenant["slug"],
                "name": tenant["profile"]["name"],
                "service_codes": [
                    {key: code[key] for key in ("code", "name", "languages", "kinds")}
                    for code in tenant["service-codes"]
                ],
                **({"owner": signed_up[tenant["slug"]]} if tenant["slug"] in signed_up else {}),
            }
            for tenant in demo.tenants()
        ],
        "tables": _named(outputs, "Table"),
        "queues": {
            **_named({key: value for key, value in outputs.items() if not key.endswith("DeadQueue")}, "Queue"),
            **{f"{name}-dead": value for name, value in _named(outputs, "DeadQueue").items()},
        },
        "buckets": _named(outputs, "Bucket"),
        "functions": {name: physical[aws.resource_name(name)] for name in bins},
        "roles": {
            name: iam.get_role(RoleName=physical[f"{aws.resource_name(name)}Role"])["Role"]["Arn"] for name in bins
        },
        "log_groups": _named(outputs, "Log"),
        "kms_key": outputs["Key"],
        "secret": outputs["TwilioSecret"],
        "stripe_secret": outputs["StripeSecret"],
        "dashboard_secret": outputs["DashboardSecret"],
    }
    settings.stack_json.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n")


def _named(outputs: dict[str, str], kind: str) -> dict[str, str]:
    """The stack's outputs of one kind, by what comes before it: `DirectoryTable` is the table `directory`."""
    return {aws.kebab(key.removesuffix(kind)): value for key, value in outputs.items() if key.endswith(kind)}
