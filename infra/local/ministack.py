"""MiniStack (1.5.33) with the gaps closed that the production template meets.

Each is closed here, on our side of the line, because the template is right: AWS takes it as it is.
"""

from __future__ import annotations

from email.utils import parseaddr
from typing import Any


def accept_metrics_insights_alarms() -> None:
    """Its CloudFormation knows alarms on one metric only, and ours on errors and throttles are a query over all
    functions of a domain. Record such an alarm under the query's id: it exists, can be listed, and never goes off."""
    from ministack.services.cloudformation import provisioners

    record = provisioners._cw_metric_alarm_record

    def record_any(name: str, props: dict[str, Any]) -> dict[str, Any]:
        queries = props.get("Metrics")
        if queries:
            props = {key: value for key, value in props.items() if key != "Metrics"}
            props |= {"Namespace": "MetricsInsights", "MetricName": queries[0]["Id"], "Period": queries[0]["Period"]}
        alarm: dict[str, Any] = record(name, props)
        return alarm

    provisioners._cw_metric_alarm_record = record_any


def keep_permissions_boundaries() -> None:
    """Its IAM enforces a role's permissions boundary, but its CloudFormation drops the property."""
    from ministack.services import iam
    from ministack.services.cloudformation import provisioners

    role = provisioners._RESOURCE_HANDLERS["AWS::IAM::Role"]
    create, update = role["create"], role["update"]

    def bounded(answer: Any, props: dict[str, Any]) -> Any:
        iam._roles[answer[0]]["PermissionsBoundary"] = props.get("PermissionsBoundary")
        return answer

    def create_bounded(logical_id: str, props: dict[str, Any], stack_name: str) -> Any:
        return bounded(create(logical_id, props, stack_name), props)

    def update_bounded(physical_id: str, old: dict[str, Any], new: dict[str, Any], *more: Any) -> Any:
        return bounded(update(physical_id, old, new, *more), new)

    role |= {"create": create_bounded, "update": update_bounded}


def check_who_sends_mail() -> None:
    """Its IAM asks for `ses:SendEmail` on `*`, which no policy that names an identity allows. AWS asks on the identity
    that the sender's address belongs to: the address itself where it is one, else its domain."""
    from ministack.core import iam_actions
    from ministack.services import ses

    resource = iam_actions._ses_v2_resource_arn

    def identity(method: str, path: str, body: bytes, region: str, account: str) -> str:
        if path.rstrip("/") != "/v2/email/outbound-emails":
            arn: str = resource(method, path, body, region, account)
            return arn
        sender = iam_actions._safe_json_field(body, "FromEmailAddress")
        known = ses._notification_identity(sender)
        name = known[0] if known else parseaddr(sender)[1]
        return f"arn:aws:ses:{region}:{account}:identity/{name}"

    iam_actions._ses_v2_resource_arn = identity


def take_many_messages_for_one() -> None:
    """Its IAM asks for `sqs:SendMessageBatch` and the like, which no policy can name: on AWS the permission for one message
    is the permission for many."""
    from ministack.core import iam_actions

    action = iam_actions.extract_iam_action

    def one(*more: Any, **named: Any) -> str | None:
        asked: str | None = action(*more, **named)
        return asked.removesuffix("Batch") if asked and asked.startswith("sqs:") else asked

    iam_actions.extract_iam_action = one


def leave_preflights_to_routes() -> None:
    """Its HTTP API answers every `OPTIONS` itself, with 403 where the API has no CORS configuration. AWS does so only where
    it has one, and else hands the request to its route like any other. In lower case it passes that answer by; what
    looks for the route, and the function, have it in upper case again."""
    from ministack.services import apigateway

    execute, match, invoke = apigateway._handle_execute_in_scope, apigateway._match_route, apigateway._invoke_lambda_proxy

    async def execute_any(api_id: str, stage: str, path: str, method: str, *more: Any, **named: Any) -> Any:
        configured = (apigateway._apis.get(api_id) or {}).get("corsConfiguration")
        method = "options" if method == "OPTIONS" and not configured else method
        return await execute(api_id, stage, path, method, *more, **named)

    def match_any(api_id: str, method: str, path: str) -> Any:
        return match(api_id, method.upper(), path)

    async def invoke_any(
        integration: Any, api_id: str, stage: str, path: str, method: str, *more: Any, **named: Any
    ) -> Any:
        return await invoke(integration, api_id, stage, path, method.upper(), *more, **named)

    apigateway._handle_execute_in_scope = execute_any
    apigateway._match_route = match_any
    apigateway._invoke_lambda_proxy = invoke_any


def remember_streams() -> None:
    """It keeps how far each consumer has read a table's stream, and forgets the stream itself: after a restart no consumer is
    given anything until as much has been written again as they had read before. Keep what is in the streams, too."""
    from ministack.services import dynamodb

    kept = ("_stream_records", "_stream_trimmed")
    state, restore = dynamodb.get_state, dynamodb.load_persisted_state

    def state_with_streams() -> Any:
        return state() | {name: getattr(dynamodb, name) for name in kept}

    def restore_with_streams(data: Any) -> Any:
        restored = restore(data)
        for name in kept:
            getattr(dynamodb, name).update(data.get(name, {}))
        return restored

    dynamodb.get_state = state_with_streams
    dynamodb.load_persisted_state = restore_with_streams


def hand_events_over_at_once() -> None:
    """Its runtime API writes an event's head and body one after the other, and the body waits until the function has
    acknowledged the head (Nagle's algorithm), which its system puts off for 40 ms: so long took every invocation more
    than on AWS. Send both at once."""
    from ministack.core.lambda_runtime import ProvidedWorker

    build = ProvidedWorker._build_handler_class

    def without_delay(worker: Any, *more: Any) -> Any:
        handler = build(worker, *more)
        handler.disable_nagle_algorithm = True
        return handler

    ProvidedWorker._build_handler_class = without_delay


def main() -> None:
    accept_metrics_insights_alarms()
    keep_permissions_boundaries()
    check_who_sends_mail()
    take_many_messages_for_one()
    leave_preflights_to_routes()
    remember_streams()
    hand_events_over_at_once()
    from ministack.app import main as serve

    serve()


if __name__ == "__main__":
    main()
