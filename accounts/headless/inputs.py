"""What programs send, asked for exactly as the pages ask: the same forms, told as JSON."""

from typing import Any

from allauth.account.adapter import get_adapter
from allauth.headless.account import inputs as account
from allauth.headless.internal.restkit.inputs import CharField, Input
from allauth.headless.mfa import inputs as mfa
from django.core.exceptions import ValidationError

from accounts import forms
from accounts.models import User


class SignupInput(forms.AsksForName, account.SignupInput):
    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if password := cleaned.get("password"):
            try:
                # As the page does: a password that is nearly the address does not do.
                get_adapter().clean_password(password, user=User(email=cleaned.get("email", "")))
            except ValidationError as error:
                self.add_error("password", error)
        return cleaned


class ChangeEmailInput(forms.ChangeEmailForm, Input):
    pass


class SecondStepInput(forms.SecondStepForm, Input):
    pass


class ConfirmByCodeInput(forms.ConfirmByCodeForm, Input):
    pass


class ActivateAppInput(forms.ActivateAppForm, Input):
    pass


class PasskeyInput(forms.PasskeyForm, Input):
    pass


class SecondStepPasskeyInput(forms.SecondStepPasskeyForm, Input):
    pass


class ConfirmByPasskeyInput(forms.ConfirmByPasskeyForm, Input):
    pass


class AddPasskeyInput(forms.AddPasskeyForm, Input):
    pass


class RenamePasskeyInput(mfa.UpdateWebAuthnInput):
    name = CharField(max_length=forms.PASSKEY_NAME_LENGTH)
