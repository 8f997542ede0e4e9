"""allauth's answers to programs, as strict as its pages are here: what it leaves open is closed in this module."""

import json
from http import HTTPStatus
from typing import Any

from allauth.account import app_settings as account_settings
from allauth.account.internal.flows.manage_email import sync_user_email_address
from allauth.core.internal.ratelimit import parse_rates
from allauth.headless.account import views as account
from allauth.headless.base.response import AuthenticationResponse
from allauth.headless.base.views import APIView
from allauth.headless.internal.restkit.inputs import Input
from allauth.headless.mfa import response as mfa_response
from allauth.headless.mfa import views as mfa
from allauth.mfa import app_settings as mfa_settings
from allauth.mfa.webauthn.internal.flows import begin_registration
from django.core.exceptions import RequestDataTooBig
from django.db import IntegrityError
from django.forms import CharField, JSONField
from django.http import HttpRequest, HttpResponseBase
from django.utils.translation import gettext_lazy as _

from accounts.refusals import Refusal, RequestNotReadable, RequestTooLarge, TooManyAttempts
from accounts.services import EmailTaken

# What allauth calls a limit that it answers with 400, as one more thing that is wrong with the input.
TOO_OFTEN = {"too_many_login_attempts", "rate_limited"}


class ForPrograms(APIView):
    """Takes well-formed JSON of the right shape only, and says when to come back after too many attempts."""

    # Which of allauth's limits the view answers with 429.
    limit = "login_failed"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        response: HttpResponseBase = super().dispatch(request, *args, **kwargs)
        if response.status_code == HTTPStatus.TOO_MANY_REQUESTS:
            raise too_many_attempts(self.limit)
        return response

    def handle(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        # allauth looks at the input first, and so would sign in for nothing.
        if not hasattr(self, str(request.method).lower()):
            return self.http_method_not_allowed(request)
        if request.method != "GET":
            check_is_readable(request)
        return super().handle(request, *args, **kwargs)

    def handle_input(self, data: dict[str, Any] | None) -> HttpResponseBase | None:
        input_class = self.get_input_class()
        if input_class:
            check_text_is_text(input_class, data or {})
        return super().handle_input(data)

    def handle_invalid_input(self, input: Input) -> HttpResponseBase:  # noqa: A002 - as allauth calls it
        codes = {error.code for errors in input.errors.as_data().values() for error in errors}
        if codes & TOO_OFTEN:
            raise too_many_attempts("login_failed")
        return super().handle_invalid_input(input)


def too_many_attempts(limit: str) -> TooManyAttempts:
    """Return the refusal of one of allauth's limits, with the time after which an attempt counts again for certain."""
    rates = {**account_settings.RATE_LIMITS, **mfa_settings.RATE_LIMITS}[limit]
    return TooManyAttempts(retry_after=int(max(rate.duration for rate in parse_rates(rates))))


def check_is_readable(request: HttpRequest) -> None:
    """Raise RequestNotReadable where a body is no JSON object, or holds what no table could keep; RequestTooLarge."""
    try:
        if not request.body:
            return
        data = json.loads(request.body.decode())
        # Half a surrogate pair, and numbers that JSON does not have, come in by Python's reader only.
        json.dumps(data, ensure_ascii=False, allow_nan=False).encode()
    except RequestDataTooBig as error:
        raise RequestTooLarge from error
    except (ValueError, RecursionError) as error:
        raise RequestNotReadable from error
    if not isinstance(data, dict):
        raise RequestNotReadable


def check_text_is_text(input_class: type[Input], data: dict[str, Any]) -> None:
    """Raise RequestNotReadable where a field of text is given anything else, which a form would write out as Python."""
    for name, field in input_class.base_fields.items():
        is_text = isinstance(field, CharField) and not isinstance(field, JSONField)
        if is_text and not isinstance(data.get(name), str | None):
            raise RequestNotReadable


class VerifyEmailView(ForPrograms, account.VerifyEmailView):
    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Verify the address, or raise EmailTaken where it has become another account's meanwhile."""
        if not self.input.verification.confirm(request):
            raise EmailTaken
        if request.user.is_authenticated:
            request.user.refresh_from_db()
        return AuthenticationResponse(request)


class ManageEmailView(ForPrograms, account.ManageEmailView):
    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.user.is_authenticated:
            # As the page does: an account that staff have made has no row of its address yet.
            sync_user_email_address(request.user)
        return super().dispatch(request, *args, **kwargs)

    def put(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Send the letter once more; allauth forbids (403) what is too often."""
        response: HttpResponseBase = super().put(request, *args, **kwargs)
        if response.status_code == HTTPStatus.FORBIDDEN:
            raise too_many_attempts("confirm_email")
        return response


class AppExists(Refusal):
    message = _("You have an authenticator app already. Switch it off first to set up another one.")


class ManageAppView(ForPrograms, mfa.ManageTOTPView):
    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Switch an app on, or raise AppExists; the table has room for one."""
        try:
            return super().post(request, *args, **kwargs)
        except IntegrityError as error:
            raise AppExists from error


class ManagePasskeysView(ForPrograms, mfa.ManageWebAuthnView):
    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Begin to take in a passkey: as on the page, one that signs in without a password."""
        options = begin_registration(request, request.user, True)
        return mfa_response.AddWebAuthnResponse(request, options)
