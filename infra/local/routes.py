"""The HTTP API's routes on the local cloud.

SAM writes an HTTP API's routes into an OpenAPI `Body`, which AWS imports and MiniStack (1.5.33) ignores: the API exists
and answers 404. So read the same routes from the processed template and make each with its integration.
"""

from __future__ import annotations

import json
from typing import Any

METHODS = ("get", "post", "put", "delete", "patch", "head", "options", "x-amazon-apigateway-any-method")


def wanted(processed: Any) -> dict[str, str]:
    """Route key → logical id of its function, from the processed template."""
    template = json.loads(processed) if isinstance(processed, str) else processed
    routes = {}
    for resource in template["Resources"].values():
        if resource["Type"] != "AWS::ApiGatewayV2::Api":
            continue
        for path, methods in resource["Properties"]["Body"]["paths"].items():
            for method in METHODS:
                if method in methods:
                    verb = "ANY" if method.startswith("x-") else method.upper()
                    uri = methods[method]["x-amazon-apigateway-integration"]["uri"]
                    routes[f"{verb} {path}"] = _function(uri)
    return routes


def make(apigateway: Any, api_id: str, routes: dict[str, str], function_arns: dict[str, str]) -> None:
    """Make the routes that are missing and remove those that are no longer wanted."""
    existing = {route["RouteKey"]: route for route in apigateway.get_routes(ApiId=api_id, MaxResults="500")["Items"]}
    for key, route in existing.items():
        if key not in routes:
            apigateway.delete_route(ApiId=api_id, RouteId=route["RouteId"])
    for key, function in routes.items():
        if key in existing:
            continue
        integration = apigateway.create_integration(
            ApiId=api_id,
            IntegrationType="AWS_PROXY",
            IntegrationUri=function_arns[function],
            PayloadFormatVersion="2.0",
        )
        apigateway.create_route(ApiId=api_id, RouteKey=key, Target=f"integrations/{integration['IntegrationId']}")


def _function(uri: Any) -> str:
    """The function in an integration's address: `…/functions/${VoiceAnswer.Arn}/invocations`, in whatever wrapping."""
    text = uri if isinstance(uri, str) else uri["Fn::Sub"]
    if isinstance(text, list):
        text = text[0]
    return str(text).split("/functions/${", 1)[1].split(".Arn}", 1)[0]
