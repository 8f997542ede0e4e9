"""Where django-allauth meets the house: its mail goes through the mailbox, its proofs reach the account."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.models import EmailAddress, EmailConfirmation
from allauth.account.utils import get_next_redirect_url
from allauth.core.internal.httpkit import add_query_params
from allauth.headless.adapter import DefaultHeadlessAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from django.contrib import messages
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.core.validators import MaxLengthValidator
from django.db import IntegrityError, transaction
from django.forms import Form
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts import mailbox, services, vault
from accounts.models import EMAIL_LENGTH, Letter, User

# Told after the fact; every other letter of an account has somebody waiting for it.
NOTICES = {
    "email_changed",
    "email_deleted",
    "password_changed",
    "password_reset",
    "password_set",
    "recovery_codes_generated",
    "totp_activated",
    "totp_deactivated",
    "webauthn_added",
    "webauthn_removed",
}


class AccountAdapter(DefaultAccountAdapter):
    def save_user(self, request: HttpRequest, user: User, form: Form, commit: bool = True) -> User:
        """Save a new account with its name, or raise EmailTaken when another one with its address was faster."""
        user.name = form.cleaned_data.get("name", "")
        try:
            with transaction.atomic():
                return super().save_user(request, user, form, commit)
        except IntegrityError as error:
            raise services.EmailTaken from error

    def set_password(self, user: User, password: str) -> None:
        user.set_password(password)
        services.keep_password(user)

    def clean_email(self, email: str) -> str:
        email = super().clean_email(email.strip().lower())
        # Forms take longer ones than the tables keep, and allauth would cut the end off.
        MaxLengthValidator(EMAIL_LENGTH)(email)
        return email

    def confirm_email(self, request: HttpRequest, email_address: EmailAddress) -> bool:
        """Mark the address as verified, and as the account's own; return False when another account has it."""
        try:
            with transaction.atomic():
                confirmed = super().confirm_email(request, email_address)
                if confirmed:
                    services.mark_email_verified(email_address.user)
                return confirmed
        except IntegrityError:
            email_address.refresh_from_db()
            self.add_message(
                request,
                messages.ERROR,
                "account/messages/email_confirmation_failed.txt",
                {"email": email_address.email},
            )
            return False

    def get_email_confirmation_url(self, request: HttpRequest, emailconfirmation: EmailConfirmation) -> str:
        """Return the link that verifies; it leads on to where the fan was going when asked to sign up."""
        url = super().get_email_confirmation_url(request, emailconfirmation)
        next_url = get_next_redirect_url(request)
        return add_query_params(url, {REDIRECT_FIELD_NAME: next_url}) if next_url else url

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Post the letter that allauth calls `account/email/<name>`: ours is `mail/account/<name>`."""
        # The first letter and a repeated one say the same.
        name = template_prefix.rpartition("/")[2].removesuffix("_signup")
        kind = Letter.Kind.NOTICE if name in NOTICES else Letter.Kind.VERIFICATION
        mailbox.post(to=email, template=f"account/{name}", context={**context, "email": email}, kind=kind)


class SecondFactorAdapter(DefaultMFAAdapter):
    """Keeps the secrets of second factors encrypted, and says in our words what is wrong with one."""

    error_messages = {
        **DefaultMFAAdapter.error_messages,
        "incorrect_code": _("That is not right, or it has been used already. Please try again."),
        "unverified_email": _("Please confirm your e-mail address first. Then you can add a second step."),
        "cannot_generate_recovery_codes": _("Add an authenticator app or a passkey first."),
    }

    def encrypt(self, text: str) -> str:
        return vault.seal(text)

    def decrypt(self, encrypted_text: str) -> str:
        return vault.unseal(encrypted_text)

    def generate_authenticator_name(self, user: User, type: Authenticator.Type) -> str:  # noqa: A002 - as allauth calls it
        number = Authenticator.objects.filter(user=user, type=type).count() + 1
        return gettext("Passkey") if number == 1 else gettext("Passkey %(number)d") % {"number": number}

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        return {**super().get_public_key_credential_rp_entity(), "name": self.get_totp_issuer()}


class ProgramAdapter(DefaultHeadlessAdapter):
    def serialize_user(self, user: User) -> dict[str, Any]:
        """Return what a program is told of whoever is signed in; its keys are allauth's, and two of ours."""
        return {
            "id": str(user.pk),
            "display": user.get_full_name(),
            "email": user.email,
            "email_verified": user.is_email_verified,
            "identity_verified": user.is_identity_verified,
            "has_usable_password": user.has_usable_password(),
        }
