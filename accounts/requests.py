"""What a view knows of its request once its decorators have let it through."""

from typing import cast

from django.http import HttpRequest
from rest_framework.request import Request

from accounts.models import User


class SignedInRequest(HttpRequest):
    """A request behind `login_required`."""

    user: User


def account_of(request: Request) -> User:
    """Return the account that asks; for endpoints which let nobody in without one."""
    return cast(User, request.user)
