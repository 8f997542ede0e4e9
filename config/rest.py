"""The REST framework's settings: who asks, how it is answered, and what the API's description says first."""

from typing import Any

REST_FRAMEWORK: dict[str, Any] = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "allauth.headless.contrib.rest_framework.authentication.XSessionTokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["accounts.parsing.JSONParser"],
    "DEFAULT_THROTTLE_CLASSES": ["accounts.throttles.ByAccountAndAddress"],
    "DEFAULT_PAGINATION_CLASS": "accounts.paging.ByCursor",
    "DEFAULT_SCHEMA_CLASS": "config.openapi.Contract",
    # How an endpoint refuses.
    "EXCEPTION_HANDLER": "config.problems.answer_exception",
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}

PROBLEM: dict[str, Any] = {
    "type": "object",
    "description": "Why something asked for was not done (RFC 9457).",
    "required": ["type", "title", "status", "detail", "code"],
    "properties": {
        "type": {"type": "string", "format": "uri", "description": "Where the code is explained."},
        "title": {"type": "string", "description": "The code in words."},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "A sentence for the fan."},
        "code": {"type": "string", "description": "What programs decide by: it never changes."},
        "errors": {"type": "object", "additionalProperties": True, "description": "Field to messages, for bad input."},
        "retry_after": {"type": "integer", "description": "Seconds to wait before the next try."},
        "available": {"type": "integer", "description": "How many tickets are left instead."},
        "maximum": {"type": "integer", "description": "How many there may be."},
        "opens_at": {"type": "string", "format": "date-time"},
    },
}

DESCRIPTION = """
Fairline sells tickets to events that far more people want than can have. A fan joins a queue's line, waits, is
admitted, holds tickets for some minutes, pays, and owns them.

**Signing in.** `POST /_allauth/app/v1/auth/signup` and `.../auth/login` answer with `meta.session_token`; send it as
`X-Session-Token`. In a browser the session's cookie serves, with Django's token against forgery.

**Refusals** are `application/problem+json`; decide by `code`, which never changes. Times are RFC 3339 in UTC; money is
a decimal string with its `currency` beside it; ids are opaque; lists come in pages (`results`, `next`, `previous`).

**Trying again.** Send an `Idempotency-Key` with what creates: the same key and body get the same answer for 24 hours.
Where an answer has an `ETag`, send it back as `If-None-Match` and get 304 while nothing has changed.
"""

SPECTACULAR_SETTINGS: dict[str, Any] = {
    "TITLE": "Fairline",
    "DESCRIPTION": DESCRIPTION,
    "VERSION": "1",
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "APPEND_COMPONENTS": {"schemas": {"Problem": PROBLEM}},
    "TAGS": [
        {"name": "events", "description": "What is on sale."},
        {"name": "queues", "description": "The line: getting ready, joining, waiting, one's turn."},
        {"name": "orders", "description": "Holding tickets and paying for them."},
        {"name": "tickets", "description": "What a fan owns."},
    ],
}
