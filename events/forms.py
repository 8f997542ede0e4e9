"""Forms of the organiser's desk: times of a place, tiers and events."""

import zoneinfo
from datetime import UTC, datetime, tzinfo
from typing import Any

from django import forms
from django.db.models import Model
from django.utils import timezone
from django.utils.text import slugify
from django.utils.translation import gettext_lazy as _
from unfold.forms import PaginationInlineFormSet
from unfold.widgets import BASE_INPUT_CLASSES, UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget

from events.models import Event, Tier
from events.services import InUse, QuantityBelowFloor, check_unused


class PlaceTimeInput(forms.DateTimeInput):
    """The browser's own input of date and time: it knows nothing of zones, and so brings none of its own in."""

    input_type = "datetime-local"

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        classes = " ".join([*BASE_INPUT_CLASSES, "max-w-2xl"])
        super().__init__(attrs={"class": classes, **(attrs or {})}, format="%Y-%m-%dT%H:%M")


class PlaceTimeField(forms.DateTimeField):
    """An instant, entered and shown as a clock at the place of the event shows it; its form sets `zone`."""

    widget = PlaceTimeInput
    zone: tzinfo = UTC

    def to_python(self, value: Any) -> datetime | None:
        with timezone.override(self.zone):
            return super().to_python(value)

    def prepare_value(self, value: Any) -> Any:
        with timezone.override(self.zone):
            return super().prepare_value(value)

    def has_changed(self, initial: Any, data: Any) -> bool:
        # The input has no seconds: what it cannot show, it must not change.
        if isinstance(initial, datetime):
            initial = initial.replace(second=0, microsecond=0)
        return super().has_changed(initial, data)


def use_zone(form: forms.BaseForm, zone: zoneinfo.ZoneInfo, row: Model) -> None:
    """Read and show the form's times in `zone`, with the time in UTC beside each that `row` has."""
    for name, field in form.fields.items():
        if isinstance(field, PlaceTimeField):
            field.zone = zone
            field.help_text = _time_help(zone, row, getattr(row, name))


def _time_help(zone: zoneinfo.ZoneInfo, row: Model, saved: datetime | None) -> Any:
    if row.pk is None:
        # The zone may yet be chosen on the same page.
        return _("Time at the place of the event, in its time zone.")
    if saved is None:
        return _("Time in %(zone)s.") % {"zone": zone.key}
    return _("Time in %(zone)s; saved: %(utc)s UTC.") % {
        "zone": zone.key,
        "utc": f"{saved.astimezone(UTC):%Y-%m-%d %H:%M}",
    }


class PerksField(forms.CharField):
    """A list of short texts, one a line."""

    widget = UnfoldAdminTextareaWidget(attrs={"rows": 3})

    def to_python(self, value: Any) -> Any:
        return [line.strip() for line in (value or "").splitlines() if line.strip()]

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list) else value

    def has_changed(self, initial: Any, data: Any) -> bool:
        return (initial or []) != self.to_python(data)


SHORT_NAME_LENGTH = 60


class TierForm(forms.ModelForm):
    slug = forms.SlugField(
        label=_("Short name"),
        max_length=SHORT_NAME_LENGTH,
        required=False,
        help_text=_("Names the tier for programs. Empty: made from its name."),
    )
    perks = PerksField(label=_("Perks"), required=False, help_text=_("One a line."))

    class Meta:
        model = Tier
        fields = ("name", "slug", "price", "quantity", "description", "perks", "release_at", "position")

    def clean_slug(self) -> str:
        """Make the short name of the name where none is given: the page's script does not fill it in for new rows."""
        slug = self.cleaned_data["slug"] or slugify(self.cleaned_data.get("name", ""))[:SHORT_NAME_LENGTH]
        if not slug:
            raise forms.ValidationError(_("Please give a short name of letters and digits."))
        return slug

    def clean_quantity(self) -> int:
        """Refuse politely, by the counters as they were read; the service that saves it has the last word."""
        quantity = self.cleaned_data["quantity"]
        if quantity < self.instance.lowest_quantity:
            raise forms.ValidationError(str(QuantityBelowFloor(self.instance.lowest_quantity)))
        return quantity


class TierFormSet(PaginationInlineFormSet):
    def add_fields(self, form: forms.ModelForm, index: int | None) -> None:
        super().add_fields(form, index)
        use_zone(form, self.instance.zone, form.instance)

    def clean(self) -> None:
        super().clean()
        for form in self.deleted_forms:
            try:
                check_unused(form.instance)
            except InUse as refusal:
                raise forms.ValidationError(str(refusal)) from refusal


class EventForm(forms.ModelForm):
    time_zone = forms.ChoiceField(
        label=_("Time zone"),
        # Nothing is chosen to begin with: a zone that nobody looked at would move the show by hours.
        choices=[
            ("", _("Choose, as America/New_York")),
            *((name, name) for name in sorted(zoneinfo.available_timezones())),
        ],
        widget=UnfoldAdminSelectWidget,
        help_text=_("Times of this event are entered and shown in this zone."),
    )

    class Meta:
        model = Event
        fields = (
            "organizer",
            "name",
            "slug",
            "venue",
            "description",
            "image",
            "time_zone",
            "doors_at",
            "starts_at",
            "currency",
            "service_fee_percent",
            "max_tickets_per_order",
            "max_orders_per_customer",
            "require_identification",
            "tickets_non_transferable",
            "require_buyer_attendance",
            "tickets_released_hours_before",
            "transfer_cutoff_hours_before",
            "returns_enabled",
        )
        labels = {"slug": _("Page address")}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        use_zone(self, self._chosen_zone(), self.instance)

    def _chosen_zone(self) -> zoneinfo.ZoneInfo:
        name = self.data.get("time_zone", "")
        # Another zone with the same times on the clock means other instants.
        return zoneinfo.ZoneInfo(name) if name in zoneinfo.available_timezones() else self.instance.zone

    def clean(self) -> dict[str, Any]:
        facts = super().clean() or {}
        doors_at, starts_at = facts.get("doors_at"), facts.get("starts_at")
        if doors_at and starts_at and doors_at > starts_at:
            self.add_error("doors_at", _("The doors must open before the show starts."))
        venue, organizer = facts.get("venue"), facts.get("organizer")
        if venue and organizer and venue.organizer_id != organizer.pk:
            self.add_error("venue", _("This venue belongs to another organizer."))
        return facts
