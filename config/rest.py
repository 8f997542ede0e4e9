"""The REST framework's settings: who asks, how it is answered, and what the API's description says first."""

from typing import Any

REST_FRAMEWORK: dict[str, Any] = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "accounts.tokens.BySessionToken",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["accounts.parsing.JSONParser"],
    "DEFAULT_THROTTLE_CLASSES": ["accounts.throttles.ByAccountAndAddress"],
    "DEFAULT_PAGINATION_CLASS": "accounts.paging.ByCursor",
    # What OPTIONS would say, the description says better.
    "DEFAULT_METADATA_CLASS": None,
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

## Signing in

Accounts are made, and signed in to, under `/_allauth/app/v1/`; what comes back is a session token:

```
POST /_allauth/app/v1/auth/signup
Content-Type: application/json

{"name": "Ben Buyer", "email": "ben@example.org", "password": "a long enough secret"}
```

answers with

```
{
  "status": 200,
  "data": {"user": {"id": "7", "display": "Ben Buyer", "email": "ben@example.org", "email_verified": false}},
  "meta": {"is_authenticated": true, "session_token": "qv1nrhmq8zyi0pqqd4jq6a0dxsv4crx2"}
}
```

Send the token with every request, as `X-Session-Token: qv1nrhmq8zyi0pqqd4jq6a0dxsv4crx2`. Later
`POST /_allauth/app/v1/auth/login` with `email` and `password` gives another one; where the account has a second factor
it answers 401 and names the step that is left in `data.flows` (`POST /_allauth/app/v1/auth/2fa/authenticate` with
`code`), with a token to go on with. `DELETE /_allauth/app/v1/auth/session` ends it.

A line asks for a confirmed address: the letter has a link, whose last part is the key for
`POST /_allauth/app/v1/auth/email/verify` with `{"key": "..."}`.

Some lines ask for a verified identity, too. There is no call for that: the fan signs in at `/account/identity/` and
shows a document.

In a browser the session's cookie serves as well, with Django's token against forgery in `X-CSRFToken`.

## Refusals

are `application/problem+json` (RFC 9457). Decide by `code`, which never changes; `type` leads to the page that explains
it; `detail` is a sentence for the fan. What is somebody else's is answered as if it were not there.

## Trying again

Send an `Idempotency-Key` with what creates: for 24 hours the same key and body get the same answer, and nothing is
done twice. 429 and 503 say in `Retry-After` when to come back. Where an answer has an `ETag`, send it back as
`If-None-Match`, and get 304 while nothing has changed.

## Values

Times are RFC 3339 in UTC; money is a decimal string with its `currency` beside it; ids are opaque; lists come in pages
(`results`, and the addresses of the `next` and the `previous` one).
"""

SPECTACULAR_SETTINGS: dict[str, Any] = {
    "TITLE": "Fairline",
    "DESCRIPTION": DESCRIPTION,
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SERVERS": [{"url": "/", "description": "Where this description comes from."}],
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "APPEND_COMPONENTS": {"schemas": {"Problem": PROBLEM}},
    "TAGS": [
        {"name": "events", "description": "What is on sale."},
        {"name": "queues", "description": "The line: getting ready, joining, waiting, one's turn."},
        {"name": "orders", "description": "Holding tickets and paying for them."},
        {"name": "tickets", "description": "What a fan owns."},
    ],
}
