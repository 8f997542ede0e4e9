"""Where django-allauth meets the house: its mail goes through the mailbox, its proofs reach the account."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.models import EmailAddress, EmailConfirmation
from allauth.account.utils import get_next_redirect_url
from allauth.core.internal.httpkit import add_query_params
from django.contrib import messages
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.core.validators import MaxLengthValidator
from django.db import IntegrityError, transaction
from django.forms import Form
from django.http import HttpRequest

from accounts import mailbox, services
from accounts.models import EMAIL_LENGTH, Letter, User

# Told after the fact; every other letter of an account has somebody waiting for it.
NOTICES = {"email_changed", "email_deleted", "password_changed", "password_reset", "password_set"}


class AccountAdapter(DefaultAccountAdapter):
    def save_user(self, request: HttpRequest, user: User, form: Form, commit: bool = True) -> User:
        """Save a new account with its name, or raise EmailTaken when another one with its address was faster."""
        user.name = form.cleaned_data.get("name", "")
        try:
            with transaction.atomic():
                return super().save_user(request, user, form, commit)
        except IntegrityError as error:
            raise services.EmailTaken from error

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
