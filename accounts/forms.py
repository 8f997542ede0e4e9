from allauth.account.adapter import get_adapter
from allauth.account.forms import AddEmailForm
from allauth.account.forms import SignupForm as AllauthSignupForm
from allauth.account.internal.flows.email_verification import send_verification_email_to_address
from allauth.account.models import EmailAddress
from django import forms
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminRadioSelectWidget, UnfoldAdminTextInputWidget

from accounts import photos, services
from accounts.models import IdentityCheck, User


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
