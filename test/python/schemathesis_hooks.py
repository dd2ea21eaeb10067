"""What schemathesis cannot read off the description: whose key, how a webhook is signed, and where connectors are.

Values that are valid are folded onto the few that lead somewhere, so that generated calls meet: a tenant, five segments, and
the stand-in in place of Braze, which nothing here may ever reach. What was made invalid on purpose is left as it is.
"""
import hashlib
import hmac
import os
import re

import requests
import schemathesis

API_KEY = os.environ["FUZZ_API_KEY"]
WEBHOOK_SECRET = os.environ["FUZZ_WEBHOOK_SECRET"]
TENANT = os.environ["FUZZ_TENANT"]
BRAZE_URL = os.environ["FUZZ_BRAZE_URL"]
SEGMENTS = int(os.environ["FUZZ_SEGMENTS"])

SLUG = re.compile(r"[a-z0-9_-]{1,64}")
BRAZE = re.compile(r"https://rest\.[a-z0-9-]+\.braze\.(com|eu)")


class Credentials(requests.auth.AuthBase):
    """The last to see a request: the signature is over the bytes that are sent."""

    def __call__(self, request):
        if "/api/webhooks/" not in request.url:
            request.headers["Authorization"] = f"ApiKey {API_KEY}"
            return request
        body = request.body or b""
        raw = body.encode() if isinstance(body, str) else body
        signature = hmac.new(WEBHOOK_SECRET.encode(), raw, hashlib.sha256).hexdigest()
        request.headers["X-SegOps-Signature"] = f"sha256={signature}"
        return request


schemathesis.auth.set_from_requests(Credentials())


def is_segment(value):
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value < 2**53


def fold(value):
    return 1 + (value - 1) % SEGMENTS


def removable(segment):
    """The last two connectors come and go; the others stay, so that calls of theirs find them."""
    return segment if segment > SEGMENTS - 2 else SEGMENTS - segment % 2


@schemathesis.hook
def before_call(context, case, kwargs):
    parameters = case.path_parameters
    if parameters and is_segment(parameters.get("id")):
        segment = fold(parameters["id"])
        parameters["id"] = removable(segment) if case.method == "DELETE" else segment
    body = case.body
    if not isinstance(body, dict):
        return
    for field in ("segment", "segment_id"):
        if is_segment(body.get(field)):
            body[field] = fold(body[field])
    if isinstance(body.get("tenant_slug"), str) and SLUG.fullmatch(body["tenant_slug"]):
        body["tenant_slug"] = TENANT
    config = body.get("config")
    if isinstance(config, dict) and isinstance(config.get("rest_endpoint"), str):
        if BRAZE.fullmatch(config["rest_endpoint"]):
            config["rest_endpoint"] = BRAZE_URL
