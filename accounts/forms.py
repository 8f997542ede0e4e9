import struct
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from allauth.account.adapter import get_adapter
from allauth.account.forms import AddEmailForm
from allauth.account.forms import SignupForm as AllauthSignupForm
from allauth.account.internal.flows.email_verification import send_verification_email_to_address
from allauth.account.models import EmailAddress
from allauth.mfa.adapter import get_adapter as get_second_factor_adapter
from allauth.mfa.base.forms import AuthenticateForm, ReauthenticateForm
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.forms import ActivateTOTPForm
from allauth.mfa.webauthn.forms import (
    AddWebAuthnForm,
    AuthenticateWebAuthnForm,
    EditWebAuthnForm,
    LoginWebAuthnForm,
    ReauthenticateWebAuthnForm,
)
from django import forms
from django.db import transaction
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminRadioSelectWidget, UnfoldAdminTextInputWidget

from accounts import closing, photos, services
from accounts.models import IdentityCheck, User

PASSKEY_NAME_LENGTH = 60


class AsksForName(forms.Form):
    name = forms.CharField(label=_("Your name"), max_length=150, widget=forms.TextInput(attrs={"autocomplete": "name"}))


class SignupForm(AsksForName, AllauthSignupForm):
    """Ask for what an account needs: a name, an e-mail address and a password, once."""

    field_order = ("name", "email", "password1")


class ChangeEmailForm(AddEmailForm):
    """Let a proved address stand until the new one is proved; replace one that never was at once."""

    def clean_email(self) -> str:
        email = super().clean_email()
        taken = User.objects.filter(email=email).exclude(pk=self.user.pk).exists()
        if taken and not self.has_verified_address():
            raise get_adapter().validation_error("email_taken")
        return email

    def save(self, request: HttpRequest) -> EmailAddress:
        if self.has_verified_address():
            with transaction.atomic():
                closing.keep_open(self.user)
                return super().save(request)
        # allauth would drop the old address and leave the account without a login until the new one is proved.
        address = services.change_email(self.user, email=self.cleaned_data["email"])
        send_verification_email_to_address(request, address)
        return address

    def has_verified_address(self) -> bool:
        return EmailAddress.objects.filter(user=self.user, verified=True).exists()


class CodeField(forms.CharField):
    """A code that is typed from elsewhere; blanks in it do not matter."""

    def __init__(self, **options: Any) -> None:
        # A telephone shows its digits, and offers a code that it knows.
        widget = forms.TextInput(attrs={"autocomplete": "one-time-code", "inputmode": "numeric"})
        super().__init__(max_length=32, widget=widget, **options)


class ServesOnce:
    """Refuses the code of an app that has served already, whatever became of the cache."""

    authenticator: Authenticator

    def clean_code(self) -> str:
        period_began_at = services.code_period_began_at()
        code: str = super().clean_code()  # type: ignore[misc]
        is_of_app = self.authenticator.type == Authenticator.Type.TOTP
        if is_of_app and not services.spend_code(self.authenticator, since=period_began_at):
            raise get_second_factor_adapter().validation_error("incorrect_code")
        return code


class SecondStepForm(ServesOnce, AuthenticateForm):
    code = CodeField(label=_("Code"), help_text=_("From your authenticator app, or one of your recovery codes."))


class ConfirmByCodeForm(ServesOnce, ReauthenticateForm):
    code = CodeField(label=_("Code"), help_text=_("From your authenticator app, or one of your recovery codes."))


class ActivateAppForm(ActivateTOTPForm):
    code = CodeField(label=_("Code that the app shows"))


@contextmanager
def whatever_is_unreadable_is_wrong() -> Iterator[None]:
    """Raise ValidationError where the library stumbles over bytes that no browser has sent."""
    try:
        yield
    # The last for the signature of a key that a program has registered, of a kind that nobody has asked for.
    except (ValueError, TypeError, AttributeError, LookupError, ArithmeticError, struct.error, RuntimeError) as error:
        raise get_second_factor_adapter().validation_error("incorrect_code") from error


class CredentialField(forms.JSONField):
    """What a browser says of a passkey; no one types it."""

    def __init__(self) -> None:
        super().__init__(label=_("Passkey"), widget=forms.HiddenInput)


class ReadsCredential:
    def clean_credential(self) -> Authenticator:
        with whatever_is_unreadable_is_wrong():
            return super().clean_credential()  # type: ignore[misc]


class PasskeyForm(ReadsCredential, LoginWebAuthnForm):
    credential = CredentialField()


class SecondStepPasskeyForm(ReadsCredential, AuthenticateWebAuthnForm):
    credential = CredentialField()


class ConfirmByPasskeyForm(ReadsCredential, ReauthenticateWebAuthnForm):
    credential = CredentialField()


class AddPasskeyForm(AddWebAuthnForm):
    """Take a passkey in: it knows its owner by a finger, a face or a PIN, and so signs in without a password."""

    name = forms.CharField(
        label=_("Name"),
        max_length=PASSKEY_NAME_LENGTH,
        required=False,
        help_text=_("So that you know later which one it is."),
    )
    credential = CredentialField()
    passwordless = forms.BooleanField(widget=forms.HiddenInput, initial=True)

    def clean(self) -> dict[str, Any]:
        with whatever_is_unreadable_is_wrong():
            cleaned: dict[str, Any] = super().clean()
        return cleaned


class RenamePasskeyForm(EditWebAuthnForm):
    name = forms.CharField(label=_("Name"), max_length=PASSKEY_NAME_LENGTH)


class IdentityForm(forms.Form):
    """What an identity check needs. Whether the file is a photo, the service says."""

    legal_name = forms.CharField(
        label=_("Name as on the document"), max_length=150, widget=forms.TextInput(attrs={"autocomplete": "name"})
    )
    photo = forms.FileField(
        label=_("Photo of your passport, identity card or driving licence"),
        help_text=_("JPEG, PNG or WebP, at most 8 MB. Name and picture must be readable."),
        widget=forms.FileInput(attrs={"accept": ",".join(photos.CONTENT_TYPES)}),
    )


class IdentityDecisionForm(forms.ModelForm):
    """Ask the platform's staff for a decision; what is saved is the service's business."""

    decision = forms.ChoiceField(
        label=_("Decision"),
        choices=[
            (IdentityCheck.Status.APPROVED, _("Approve: name and photo show the same person")),
            (IdentityCheck.Status.REFUSED, _("Refuse")),
        ],
        widget=UnfoldAdminRadioSelectWidget,
    )
    explanation = forms.CharField(
        label=_("Reason"),
        max_length=300,
        help_text=_("The fan reads it when you refuse. It stays with the check."),
        widget=UnfoldAdminTextInputWidget,
    )

    class Meta:
        model = IdentityCheck
        fields: tuple[str, ...] = ()
