from allauth.account.adapter import get_adapter
from allauth.account.forms import AddEmailForm
from allauth.account.forms import SignupForm as AllauthSignupForm
from allauth.account.internal.flows.email_verification import send_verification_email_to_address
from allauth.account.models import EmailAddress
from django import forms
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts import services
from accounts.models import User


class SignupForm(AllauthSignupForm):
    """Ask for what an account needs: a name, an e-mail address and a password, once."""

    name = forms.CharField(label=_("Your name"), max_length=150, widget=forms.TextInput(attrs={"autocomplete": "name"}))
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
            return super().save(request)
        # allauth would drop the old address and leave the account without a login until the new one is proved.
        address = services.change_email(self.user, email=self.cleaned_data["email"])
        send_verification_email_to_address(request, address)
        return address

    def has_verified_address(self) -> bool:
        return EmailAddress.objects.filter(user=self.user, verified=True).exists()
