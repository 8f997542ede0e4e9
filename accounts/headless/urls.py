"""The addresses of django-allauth's headless API that serve here; its others (telephones, social accounts) do not."""

from collections.abc import Callable
from typing import Any

from allauth.headless.account import views as account
from allauth.headless.base.views import APIView, ConfigView
from allauth.headless.constants import Client
from allauth.headless.mfa import views as mfa
from django.http import HttpResponseBase
from django.urls import path

from accounts.headless import inputs
from accounts.headless.views import ForPrograms, ManageAppView, ManageEmailView, ManagePasskeysView, VerifyEmailView

app_name = "headless"


def for_programs(view: type[APIView], **options: Any) -> Callable[..., HttpResponseBase]:
    """Return a view that a session token signs in to, and a cookie does not."""
    kind: Any = view if issubclass(view, ForPrograms) else type(view.__name__, (ForPrograms, view), {})
    answer: Callable[..., HttpResponseBase] = kind.as_api_view(client=Client.APP, **options)
    return answer


urlpatterns = [
    path("config", for_programs(ConfigView), name="config"),
    path("auth/session", for_programs(account.SessionView), name="session"),
    path("auth/login", for_programs(account.LoginView, limit="login"), name="login"),
    path(
        "auth/signup",
        for_programs(account.SignupView, limit="signup", input_class={"POST": inputs.SignupInput}),
        name="signup",
    ),
    path("auth/email/verify", for_programs(VerifyEmailView), name="verify-email"),
    path(
        "auth/password/request",
        for_programs(account.RequestPasswordResetView, limit="reset_password"),
        name="request-password-reset",
    ),
    path(
        "auth/password/reset",
        for_programs(account.ResetPasswordView, limit="reset_password_from_key"),
        name="reset-password",
    ),
    path("auth/reauthenticate", for_programs(account.ReauthenticateView, limit="reauthenticate"), name="confirm"),
    path(
        "auth/2fa/authenticate",
        for_programs(mfa.AuthenticateView, input_class=inputs.SecondStepInput),
        name="second-step",
    ),
    path(
        "auth/2fa/reauthenticate",
        for_programs(mfa.ReauthenticateView, input_class=inputs.ConfirmByCodeInput),
        name="confirm-by-code",
    ),
    path(
        "auth/webauthn/login",
        for_programs(mfa.LoginWebAuthnView, limit="webauthn_login", input_class={"POST": inputs.PasskeyInput}),
        name="login-by-passkey",
    ),
    path(
        "auth/webauthn/authenticate",
        for_programs(mfa.AuthenticateWebAuthnView, input_class={"POST": inputs.SecondStepPasskeyInput}),
        name="second-step-by-passkey",
    ),
    path(
        "auth/webauthn/reauthenticate",
        for_programs(mfa.ReauthenticateWebAuthnView, input_class={"POST": inputs.ConfirmByPasskeyInput}),
        name="confirm-by-passkey",
    ),
    path(
        "account/password/change",
        for_programs(account.ChangePasswordView, limit="change_password"),
        name="change-password",
    ),
    path(
        "account/email",
        for_programs(
            ManageEmailView,
            limit="manage_email",
            input_class={**account.ManageEmailView.input_class, "POST": inputs.ChangeEmailInput},
        ),
        name="email",
    ),
    path("account/authenticators", for_programs(mfa.AuthenticatorsView), name="second-factors"),
    path(
        "account/authenticators/totp",
        for_programs(ManageAppView, input_class={"POST": inputs.ActivateAppInput}),
        name="app",
    ),
    path(
        "account/authenticators/recovery-codes",
        for_programs(mfa.ManageRecoveryCodesView, input_class={"POST": mfa.GenerateRecoveryCodesInput}),
        name="recovery-codes",
    ),
    path(
        "account/authenticators/webauthn",
        for_programs(
            ManagePasskeysView,
            input_class={
                **mfa.ManageWebAuthnView.input_class,
                "POST": inputs.AddPasskeyInput,
                "PUT": inputs.RenamePasskeyInput,
            },
        ),
        name="passkeys",
    ),
]
