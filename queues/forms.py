from typing import Any

from django import forms
from django.core.validators import MaxLengthValidator, RegexValidator, validate_email
from django.utils.translation import gettext_lazy as _
from unfold.forms import BaseDialogForm, PaginationInlineFormSet
from unfold.widgets import UnfoldAdminIntegerFieldWidget, UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from accounts.models import EMAIL_LENGTH
from events.forms import use_zone
from queues.conditions import CARD_DIGITS, CODE_LENGTH, AccessCode, normalised
from queues.refusals import MaxUsesBelowUsed
from queues.services.codes import CODES_AT_ONCE, RANDOM_LETTERS


class UnkeptInput(forms.PasswordInput):
    """Shows what is typed, and never sends it back."""

    input_type = "text"


class CardDigitsField(forms.CharField):
    """The first six to eight digits of a card; blanks between them do not matter."""

    def to_python(self, value: Any) -> Any:
        return "".join((super().to_python(value) or "").split())


class CaptchaField(forms.Field):
    """What ALTCHA's widget sends; whether it is any good, the service says."""

    widget = forms.HiddenInput

    def to_python(self, value: Any) -> Any:
        return str(value or "")


class EntryForm(forms.Form):
    """What a queue may ask at its door; nothing is required here, because the service says what is missing."""

    code = forms.CharField(
        label=_("Presale code"),
        max_length=CODE_LENGTH,
        required=False,
        widget=forms.TextInput(
            attrs={
                "placeholder": _("Enter code"),
                "autocomplete": "off",
                "autocapitalize": "characters",
                "spellcheck": "false",
            }
        ),
    )
    card_prefix = CardDigitsField(
        label=_("First six digits of your card"),
        required=False,
        help_text=_("Only these: we never ask for the whole number here, and do not keep them."),
        validators=[RegexValidator(r"^[0-9]{6,8}\Z", _("Please enter the first six to eight digits, and no more."))],
        widget=UnkeptInput(attrs={"inputmode": "numeric", "autocomplete": "off", "maxlength": CARD_DIGITS + 1}),
    )
    captcha = CaptchaField(required=False)


class EventSearchForm(forms.Form):
    """What the list of events can be searched by; a field that makes no sense is told and left out of the search."""

    q = forms.CharField(label=_("Event, venue or city"), max_length=100, required=False)
    city = forms.CharField(label=_("City"), max_length=100, required=False)
    after = forms.DateField(label=_("From"), required=False, widget=forms.DateInput(attrs={"type": "date"}))
    before = forms.DateField(label=_("Until"), required=False, widget=forms.DateInput(attrs={"type": "date"}))


class GuestsField(forms.CharField):
    """Addresses and domains, one a line."""

    widget = UnfoldAdminTextareaWidget(attrs={"rows": 4})

    def to_python(self, value: Any) -> Any:
        lines = (line.strip().lower().removeprefix("@") for line in (value or "").splitlines())
        return sorted({line for line in lines if line})

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list) else value

    def has_changed(self, initial: Any, data: Any) -> bool:
        return (initial or []) != self.to_python(data)

    def validate(self, value: Any) -> None:
        for line in value:
            try:
                MaxLengthValidator(EMAIL_LENGTH)(line)
                validate_email(line if "@" in line else f"somebody@{line}")
            except forms.ValidationError:
                text = _("“%(line)s” is neither an e-mail address nor a domain.") % {"line": line[:EMAIL_LENGTH]}
                raise forms.ValidationError(text) from None


class CodeField(forms.CharField):
    """A code as it is compared, whatever way it was typed."""

    def to_python(self, value: Any) -> Any:
        return normalised(super().to_python(value) or "")


class AccessCodeForm(forms.ModelForm):
    code = CodeField(
        label=_("code"), max_length=CODE_LENGTH, widget=UnfoldAdminTextInputWidget, help_text=_("In capital letters.")
    )

    class Meta:
        model = AccessCode
        fields = ("code", "max_uses", "description", "is_active", "valid_from", "valid_until")

    def clean_max_uses(self) -> int:
        """Refuse politely, by the count as it was read; the service that saves it has the last word."""
        asked = self.cleaned_data["max_uses"]
        used = AccessCode.objects.filter(pk=self.instance.pk).values_list("use_count", flat=True).first() or 0
        if asked < used:
            raise forms.ValidationError(str(MaxUsesBelowUsed()))
        return int(asked)


class AccessCodeFormSet(PaginationInlineFormSet):
    """The codes of a queue, their times at the place of its event."""

    def add_fields(self, form: Any, index: int | None) -> None:
        super().add_fields(form, index)
        if self.instance.event_id:
            use_zone(form, self.instance.event.zone, form.instance)


class MakeCodesForm(BaseDialogForm):
    count = forms.IntegerField(
        label=_("How many codes"), min_value=1, max_value=CODES_AT_ONCE, widget=UnfoldAdminIntegerFieldWidget
    )
    prefix = CodeField(
        label=_("Prefix"),
        max_length=CODE_LENGTH - RANDOM_LETTERS,
        required=False,
        validators=[RegexValidator(r"^[A-Z0-9-]*\Z", _("A code is made of letters A to Z, digits and hyphens."))],
        widget=UnfoldAdminTextInputWidget,
        help_text=_("What every code begins with; eight letters and digits without look-alikes follow."),
    )
    max_uses = forms.IntegerField(
        label=_("Fans who may use each"),
        min_value=1,
        max_value=2_147_483_647,
        initial=1,
        widget=UnfoldAdminIntegerFieldWidget,
    )
    description = forms.CharField(
        label=_("Description"), max_length=200, required=False, widget=UnfoldAdminTextInputWidget
    )

    def new_codes(self) -> dict[str, Any]:
        """Return what to make, without the dialog's own fields."""
        return {name: self.cleaned_data[name] for name in ("count", "prefix", "max_uses", "description")}


class CheckCodeForm(BaseDialogForm):
    code = CodeField(label=_("Code, as the fan has typed it"), max_length=200, widget=UnfoldAdminTextInputWidget)
