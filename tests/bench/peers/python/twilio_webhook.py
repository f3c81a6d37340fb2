"""What both steps share: the secret, the signature check, the table. Read once, while the function starts."""

import base64
import json
import os
from urllib.parse import parse_qsl

import boto3
from twilio.request_validator import RequestValidator

_secret = boto3.client("secretsmanager").get_secret_value(SecretId=os.environ["TWILIO_SECRET"])
_validator = RequestValidator(json.loads(_secret["SecretString"])["auth_token"])
_dynamodb = boto3.resource("dynamodb")
BASE_URL = os.environ["PUBLIC_BASE_URL"]

directory = _dynamodb.Table(os.environ["TABLE_DIRECTORY"])
accounts = _dynamodb.Table(os.environ["TABLE_ACCOUNTS"]) if "TABLE_ACCOUNTS" in os.environ else None


def parameters_of(event):
    """The form's parameters, or None where the signature is not Twilio's."""
    body = event.get("body") or ""
    if event.get("isBase64Encoded"):
        body = base64.b64decode(body).decode()
    parameters = dict(parse_qsl(body, keep_blank_values=True))
    query = event.get("rawQueryString")
    url = BASE_URL + event["rawPath"] + (f"?{query}" if query else "")
    signature = event["headers"].get("x-twilio-signature", "")
    return parameters if _validator.validate(url, parameters, signature) else None


REFUSED = {"statusCode": 403, "headers": {"content-type": "text/plain"}, "body": "Forbidden"}


def spoken(response):
    """The answer that carries this TwiML."""
    headers = {"content-type": "text/xml", "cache-control": "no-store"}
    return {"statusCode": 200, "headers": headers, "body": str(response)}
