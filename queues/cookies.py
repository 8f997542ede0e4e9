"""The cookie of whoever stands in line without an account: made with the page that joins, or the sum before it."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import TypeVar

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from accounts.models import User
from queues.visitors import Visitor

NAME = "visitor"
SALT = "queues.visitor"
# Longer than any sale lasts.
LIFETIME = timedelta(days=90)

Answer = TypeVar("Answer", bound=HttpResponse)


def read_visitor(request: HttpRequest) -> Visitor | None:
    """Return the visitor whom the browser's cookie names; None without one, or with one that we have not signed."""
    value = request.get_signed_cookie(NAME, default="", salt=SALT, max_age=LIFETIME)
    try:
        return Visitor(uuid.UUID(value)) if value else None
    except ValueError:
        return None


def read_fan(request: HttpRequest) -> User | Visitor | None:
    """Return who stands in line with this browser: the account that is signed in, or else the visitor."""
    return request.user if request.user.is_authenticated else read_visitor(request)


def introduce_visitor(request: HttpRequest, response: Answer) -> Answer:
    """Give a browser that may join without an account its name before it does: a form sent twice then joins once."""
    is_known = request.user.is_authenticated or read_visitor(request) is not None
    return response if is_known else remember_visitor(response, Visitor())


def remember_visitor(response: Answer, visitor: Visitor) -> Answer:
    """Let the browser that gets `response` be known as `visitor`."""
    response.set_signed_cookie(
        NAME,
        str(visitor.pk),
        salt=SALT,
        max_age=LIFETIME,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )
    return response
