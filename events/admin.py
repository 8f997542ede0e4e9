from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.db import models, transaction
from django.db.models import Field, Model, QuerySet, Sum
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _
from unfold.admin import StackedInline
from unfold.decorators import action, display
from unfold.enums import ActionVariant

from accounts.patience import patiently
from accounts.refusals import Refusal
from accounts.scoping import OrganizerScope, OrganizerScopedAdmin
from events import services
from events.forms import EventForm, PlaceTimeField, PlaceTimeInput, TierForm, TierFormSet
from events.models import Event, Tier, Venue
from events.templatetags.times import instant_in

PLACE_TIMES: Mapping[type[Field[Any, Any]], Mapping[str, Any]] = {
    models.DateTimeField: {"form_class": PlaceTimeField, "widget": PlaceTimeInput}
}


def ask(title: Any, description: Any, label: Any, form: Any = None) -> dict[str, Any]:
    """Return the dialog that asks before something is done, and for what `form` wants to know."""
    return {"title": title, "description": description, "form_class": form, "form_submit_text": label}


class SaleAdmin(OrganizerScopedAdmin):
    """Change what is on sale without disturbing the sale.

    A form writes the fields that were changed in it and no others, so that it cannot set a status or a counter back
    that moved meanwhile. What others refer to is not deleted. Actions are asked for by POST, and call one service each.
    """

    list_per_page = 50
    formfield_overrides = PLACE_TIMES
    # What a form looks at and refuses beside the field, and what may yet be so when it is written.
    late_refusals: ClassVar[tuple[type[Refusal], ...]] = ()

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        show = partial(super().changeform_view, request, object_id, form_url, extra_context)
        try:
            return patiently(show)
        except self.late_refusals:
            # Something went between the form's look and the write, and all of it was rolled back: look again.
            return patiently(show)

    def save_model(self, request: HttpRequest, obj: Model, form: forms.ModelForm, change: bool) -> None:
        if not change:
            super().save_model(request, obj, form, change)
            return
        columns = {field.name for field in self.opts.concrete_fields}
        obj.save(update_fields=[name for name in form.changed_data if name in columns])

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        # In bulk it would list every order and ticket that forbids it.
        return {name: entry for name, entry in super().get_actions(request).items() if name != "delete_selected"}

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        row = self.get_object(request, unquote(object_id))
        try:
            if row is not None and self.has_delete_permission(request, row):
                services.check_unused(row)
        except services.InUse as refusal:
            self.message_user(request, str(refusal), messages.ERROR)
            return redirect(self._address_of(row))
        return super().delete_view(request, object_id, extra_context)

    def carry_out(
        self, request: HttpRequest, object_id: str, act: Callable[[Any], object], *, done: Any
    ) -> HttpResponse:
        """Call the service `act` for one row and say `done`, or what it refused with; then show the row."""

        def act_and_tell(row: Any) -> str:
            act(row)
            return str(done)

        return self.carry_out_and_tell(request, object_id, act_and_tell)

    def carry_out_and_tell(self, request: HttpRequest, object_id: str, act: Callable[[Any], str]) -> HttpResponse:
        """Do `act` to one row and say the sentence that it returns, or what it refused with; then show the row."""
        row = self.get_object(request, unquote(object_id))
        if row is None:
            raise Http404
        try:
            done = patiently(self._act_and_log, request, row, act)
        except Refusal as refusal:
            self.message_user(request, str(refusal), messages.ERROR)
        else:
            self.message_user(request, f"{row}: {done}", messages.SUCCESS)
        return self.back_to(request, row)

    def back_to(self, request: HttpRequest, row: Model) -> HttpResponse:
        """Show the row again, with the messages that were said."""
        address = self._address_of(row)
        # The desk's dialogs are sent by htmx, which would put a redirect's page into the dialog.
        is_dialog = "HX-Request" in request.headers
        return HttpResponse(headers={"HX-Redirect": address}) if is_dialog else redirect(address)

    @transaction.atomic
    def _act_and_log(self, request: HttpRequest, row: Model, act: Callable[[Any], str]) -> str:
        """Nothing is done that is not in the log, and nothing is in the log that was not done."""
        done = act(row)
        self.log_change(request, row, done)
        return done

    def has_desk_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        """Tell whether the row is the signed-in person's: asked before a dialog shows its form."""
        return self.get_object(request, unquote(str(object_id))) is not None

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        row = self.get_object(request, unquote(str(object_id)))
        offered = self.offered_actions(row) if row is not None else set()
        return [entry for entry in super().get_actions_detail(request, object_id) if entry.path in offered]

    def offered_actions(self, row: Any) -> set[str]:
        """Return the names of the actions that make sense for `row` now."""
        return set()

    def _address_of(self, row: Model) -> str:
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_change", args=[row.pk])


@admin.register(Venue)
class VenueAdmin(SaleAdmin):
    list_display = ("name", "city", "capacity")
    search_fields = ("name", "city")
    ordering = ("name", "pk")
    fields = ("organizer", "name", "city", "capacity")

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        return {**only_organizer(self, request), **super().get_changeform_initial_data(request)}


class TierInline(OrganizerScope, StackedInline):
    model = Tier
    form = TierForm
    formset = TierFormSet
    formfield_overrides = PLACE_TIMES
    extra = 0
    ordering = ("position", "pk")
    readonly_fields = ("counters",)
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("name", "slug"),
                    ("price", "quantity"),
                    "description",
                    "perks",
                    ("release_at", "position"),
                    "counters",
                )
            },
        ),
    )

    @display(description=_("stock"))
    def counters(self, tier: Tier) -> str:
        # The row that "Add another" copies has none.
        if not tier.pk:
            return ""
        return _t("%(sold)d sold, %(reserved)d reserved, %(returned)d returned, %(kept)d set aside, %(free)d left") % {
            "sold": tier.sold_count,
            "reserved": tier.reserved_count,
            "returned": tier.returned_count,
            "kept": tier.set_aside_count,
            "free": tier.available,
        }


@admin.register(Event)
class EventAdmin(SaleAdmin):
    form = EventForm
    inlines = (TierInline,)
    list_display = ("name", "venue", "starts", "status_badge")
    list_filter = ("status", "venue")
    list_select_related = ("venue",)
    search_fields = ("name", "venue__name", "venue__city")
    ordering = ("-starts_at", "pk")
    prepopulated_fields = {"slug": ("name",)}
    readonly_fields: ClassVar[tuple[str, ...]] = ("status",)
    fieldsets = (
        (None, {"fields": ("status", "organizer", "name", "slug", "venue", "description", "image")}),
        (_("Times"), {"fields": ("time_zone", ("doors_at", "starts_at"))}),
        (_("Price"), {"fields": (("currency", "service_fee_percent"),)}),
        (
            _("Purchase rules"),
            {
                "fields": (
                    ("max_tickets_per_order", "max_orders_per_customer"),
                    "require_identification",
                    "tickets_non_transferable",
                    "require_buyer_attendance",
                    ("tickets_released_hours_before", "transfer_cutoff_hours_before"),
                    "returns_enabled",
                )
            },
        ),
    )
    actions_detail: ClassVar[tuple[str, ...]] = ("publish", "cancel")
    late_refusals = (services.QuantityBelowFloor,)

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        return {**only_organizer(self, request), **super().get_changeform_initial_data(request)}

    @display(description=_("start"), ordering="starts_at")
    def starts(self, event: Event) -> str:
        return with_utc(event.starts_at, event)

    @display(
        description=_("status"),
        ordering="status",
        label={"draft": "info", "published": "success", "cancelled": "danger"},
    )
    def status_badge(self, event: Event) -> tuple[str, str]:
        return event.status, event.get_status_display()

    def offered_actions(self, row: Event) -> set[str]:
        return {Event.Status.DRAFT: {"publish"}, Event.Status.PUBLISHED: {"cancel"}}.get(
            Event.Status(row.status), set()
        )

    @action(
        description=_("Publish"),
        variant=ActionVariant.PRIMARY,
        dialog=ask(_("Publish this event?"), _("Everybody can see its page and its prices from now on."), _("Publish")),
    )
    def publish(self, request: HttpRequest, form: forms.Form, object_id: str) -> HttpResponse:
        return self.carry_out(request, object_id, services.publish_event, done=_("Published."))

    @action(
        description=_("Cancel event"),
        variant=ActionVariant.DANGER,
        dialog=ask(
            _("Cancel this event?"),
            _("Its sales end at once, and nobody can join or hold tickets. This cannot be undone."),
            _("Cancel the event"),
        ),
    )
    def cancel(self, request: HttpRequest, form: forms.Form, object_id: str) -> HttpResponse:
        return self.carry_out(request, object_id, services.cancel_event, done=_("Cancelled."))

    def save_formset(self, request: HttpRequest, form: forms.ModelForm, formset: Any, change: bool) -> None:
        formset.save(commit=False)
        for tier in formset.deleted_objects:
            tier.delete()
        # Lowest pk first, as every hold locks them.
        for tier, changed in sorted(formset.changed_objects, key=lambda pair: pair[0].pk):
            tier.save(update_fields=[name for name in changed if name != "quantity"])
            if "quantity" in changed:
                services.change_quantity(tier, tier.quantity)
        for tier in formset.new_objects:
            tier.save()

    def save_related(self, request: HttpRequest, form: forms.ModelForm, formsets: list[Any], change: bool) -> None:
        super().save_related(request, form, formsets, change)
        event = form.instance
        tickets = event.tiers.aggregate(total=Sum("quantity"))["total"] or 0
        if tickets > event.venue.capacity:
            text = _("The tiers have %(tickets)d tickets, more than the %(capacity)d people the venue holds.")
            facts = {"tickets": tickets, "capacity": event.venue.capacity}
            self.message_user(request, text % facts, messages.WARNING)


def with_utc(instant: datetime, event: Event) -> str:
    """Write an instant as it is at the event's place, with UTC beside it."""
    return f"{instant_in(instant, event.zone)} ({instant.astimezone(UTC):%H:%M} UTC)"


def place_time(name: str, label: Any, event_of: Callable[[Any], Event]) -> Any:
    """Return a column that shows the time `name` of a row at the place of its event, with UTC beside it."""

    @display(description=label, ordering=name)
    def shown(row: Any) -> str:
        instant = getattr(row, name)
        return with_utc(instant, event_of(row)) if instant else ""

    shown.__name__ = name
    return shown


def only_organizer(model_admin: OrganizerScopedAdmin, request: HttpRequest) -> dict[str, Any]:
    """Return the organizer to begin a form with, where there is only one to choose."""
    choices: QuerySet = model_admin.choices_of(model_admin.opts.get_field("organizer"), request)[:2]
    return {"organizer": choices[0].pk} if len(choices) == 1 else {}
