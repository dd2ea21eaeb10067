"""Makes the calls of standard input with SegOps' own client, and prints what became of each.

Input: {"base_url", "api_key", "calls": [{"method", "args", "kwargs"}]}. Output: [{"answer"} or {"status", "body"}].
"""
import json
import sys

from segops_admin import SegOpsAdmin, SegOpsApiError

job = json.load(sys.stdin)
activations = SegOpsAdmin(job["api_key"], base_url=job["base_url"]).activations


def outcome(call):
    method = getattr(activations, call["method"])
    try:
        answer = method(*call.get("args", []), **call.get("kwargs", {}))
        return {"answer": list(answer) if call["method"] == "iterate" else answer}
    except SegOpsApiError as error:
        return {"status": error.status, "body": error.body}


json.dump([outcome(call) for call in job["calls"]], sys.stdout)
