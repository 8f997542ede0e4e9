"""Signing in by the token of a session, for programs."""

from typing import Any

from allauth.headless.contrib.rest_framework.authentication import XSessionTokenAuthentication
from allauth.headless.internal.sessionkit import authenticate_by_x_session_token
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts.refusals import Refusal


class TokenEnded(Refusal):
    message = _("You are no longer signed in. Please sign in again.")


class BySessionToken(XSessionTokenAuthentication):
    """Believes the token alone: who sends one that is good for nothing is neither a cookie's account nor a stranger."""

    def authenticate(self, request: HttpRequest) -> tuple[Any, Any] | None:
        """Return the account and its session; None without a token.

        Raises:
            TokenEnded
        """
        token = self.get_session_token(request)
        if not token:
            return None
        found = authenticate_by_x_session_token(token)
        if found is None:
            raise TokenEnded
        return found
