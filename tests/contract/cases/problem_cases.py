"""`problem.json`: problem documents, and all the answers that mean "offline" to a client."""

from cases.actors import NOW, SIGNER, request, yes
from cases.confirmed import FORMAT, Case
from cases.decision_case import CALL
from reference.decision import token
from reference.encoding import JsonObject, b64url, compact

STATUS_OF = {
    "MALFORMED_JSON": 400,
    "INVALID_FIELD": 400,
    "CREDENTIAL_MISSING": 401,
    "CREDENTIAL_INVALID": 401,
    "ROLE_FORBIDDEN": 403,
    "NOT_FOUND": 404,
    "IDEMPOTENCY_CONFLICT": 409,
    "STATE_CONFLICT": 409,
    "ETAG_MISMATCH": 412,
    "BODY_TOO_LARGE": 413,
    "UNSUPPORTED_MEDIA_TYPE": 415,
    "KEY_MALFORMED": 422,
    "RATE_LIMITED": 429,
    "INTERNAL": 500,
    "NOT_READY": 503,
    "SIGNING_UNAVAILABLE": 503,
}
_PROBLEM = "application/problem+json"
_JSON = "application/json"
# `{}` in one stored block (RFC 1952): no compressor of this or that version has a say in it.
_GZIPPED = bytes.fromhex("1f8b08000000000000ff010200fdff7b7d43bfa6a302000000")
_HTML = "text/html; charset=utf-8"


def _problem(code: str) -> JsonObject:
    document: JsonObject = {
        "type": f"/problems/{code.lower().replace('_', '-')}",
        "title": f"An example of {code}.",
        "status": STATUS_OF[code],
        "code": code,
        "detail": "What was wrong by name, what was expected, what to do next.",
        "request_id": "0123456789abcdef",
    }
    if code == "INVALID_FIELD":
        document["errors"] = [{"field": "client.version", "message": "a version is expected"}]
    return document


def _answer() -> JsonObject:
    return {
        "valid": True,
        "code": "VALID",
        "status": "active",
        "warnings": [],
        "message": "The license is valid.",
        "server_time": NOW,
        "decision": token(yes(CALL), SIGNER),
    }


def _offline(
    name: str,
    status: int,
    headers: dict[str, str],
    body: str | bytes,
    *,
    retry: int | None = None,
    padded_to: int = 0,
) -> Case:
    raw = body.encode() if isinstance(body, str) else body
    return {
        "name": name,
        "status": status,
        "headers": headers,
        "body_base64url": b64url(raw),
        "padded_to": padded_to,
        "retry_after_seconds": retry,
    }


def _of(media_type: str, **headers: str) -> dict[str, str]:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return {"content-type": media_type, **named}


def _unsigned() -> list[Case]:
    revoked = '{"valid":false,"code":"REVOKED","message":"revoked"}'
    answer = compact(_answer())
    html = "<!doctype html><title>Sign in</title>"
    return [
        _offline("a forged refusal", 403, _of(_JSON), '{"revoked":true}'),
        _offline("an unsigned no with status 200", 200, _of(_JSON), revoked),
        _offline("an unsigned yes with status 200", 200, _of(_JSON), '{"valid":true}'),
        _offline("a decision under status 403", 403, _of(_JSON), answer),
        _offline("a decision under status 500", 500, _of(_JSON), answer),
        _offline("a decision that is null", 200, _of(_JSON), '{"decision":null}'),
        _offline("a decision twice", 200, _of(_JSON), answer[:-1] + ',"decision":""}'),
        _offline("not found", 404, _of(_HTML), "<h1>404</h1>"),
        _offline("a captive portal", 200, _of(_HTML), html),
        _offline("empty", 200, _of(_JSON), ""),
        _offline("no content", 204, {}, ""),
        _offline("cut in half", 200, _of(_JSON), answer[: len(answer) // 2]),
        _offline("an array", 200, _of(_JSON), f"[{answer}]"),
        _offline("garbage", 200, _of(_JSON), bytes(range(256))),
        _offline("not UTF-8", 200, _of(_JSON), answer.encode("utf-16")),
        _offline("moved", 301, {"location": "https://example.com/"}, ""),
        _offline("found, with a decision", 302, _of(_JSON, location="/v1/other"), answer),
        _offline("a compressed answer", 200, _of(_JSON, content_encoding="gzip"), _GZIPPED),
        _offline("more than 64 KiB", 200, _of(_JSON), answer, padded_to=65537),
    ]


def _problems() -> list[Case]:
    return [
        *(
            _offline(f"the problem {code}", status, _of(_PROBLEM), compact(_problem(code)))
            for code, status in STATUS_OF.items()
            if code != "RATE_LIMITED"
        ),
        _limited("in two minutes", "120", 120),
        _limited("at once", "0", 0),
        _limited("some day", "soon", None),
        _limited("earlier", "-1", None),
        _limited("by 5000 digits", "9" * 5000, None),
    ]


def _limited(when: str, value: str, seconds: int | None) -> Case:
    body = compact(_problem("RATE_LIMITED"))
    headers = _of(_PROBLEM, retry_after=value)
    return _offline(f"come back {when}", 429, headers, body, retry=seconds)


def document() -> JsonObject:
    """Write the file's content."""
    return {
        "format": FORMAT,
        "accepted": [
            {"name": code, "code": code, "status": status, "document": _problem(code)}
            for code, status in STATUS_OF.items()
        ],
        "refused": [],
        "answer": {"request": {"operation": CALL.operation, "body": compact(request())}}
        | {"document": _answer()},
        "offline": [*_unsigned(), *_problems()],
    }
