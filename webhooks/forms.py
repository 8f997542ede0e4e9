from typing import Any
from urllib.parse import urlsplit

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget, UnfoldAdminURLInputWidget

from webhooks.models import Endpoint, FactType


class EndpointURLField(forms.URLField):
    """The address of a program; what is sent there is about people, so it has to be a private way."""

    widget = UnfoldAdminURLInputWidget
    default_error_messages = {"invalid": _("This is not a web address. One looks like https://example.org/fairline.")}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(assume_scheme="https", **kwargs)

    def validate(self, value: Any) -> None:
        super().validate(value)
        parts = urlsplit(value or "https://")
        if parts.scheme not in ({"https", "http"} if settings.DEMO else {"https"}):
            raise forms.ValidationError(_("The address has to begin with https://, so that nobody can listen in."))
        if "@" in parts.netloc:
            raise forms.ValidationError(_("Leave the name and the password out of the address: anyone may read them."))
        if parts.fragment:
            raise forms.ValidationError(_("Leave out what follows the “#”: it would never be sent."))


class EndpointForm(forms.ModelForm):
    url = EndpointURLField(
        label=_("address"),
        max_length=500,
        help_text=_("Where your program listens, such as https://example.org/fairline."),
    )
    types = forms.MultipleChoiceField(
        label=_("wants to know"),
        choices=[(value, f"{label} ({value})") for value, label in FactType.choices],
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        error_messages={
            "required": _("Choose at least one: an address that wants to know nothing would never hear anything."),
            "invalid_choice": _("“%(value)s” is not something that can be told. Choose from the list."),
        },
    )

    class Meta:
        model = Endpoint
        fields = ("organizer", "url", "types", "is_active")
