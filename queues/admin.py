from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.db import models
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin, TabularInline
from unfold.decorators import display
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from accounts.admin import SuperuserOnly
from accounts.audit import Audited
from accounts.flags import AddressFilter, FlaggedAddresses
from accounts.scoping import ReadOnly
from events.admin import SaleAdmin, place_time, with_utc
from events.forms import PlaceTimeField, use_zone
from events.models import Event, Tier
from queues import services
from queues.conditions import CardPrefix, CardProgramme
from queues.desk.codes import AccessCodesDesk
from queues.desk.notices import NoticeAdmin, NoticesDesk
from queues.desk.sale import SaleDesk
from queues.forms import GuestsField
from queues.models import Admission, Notice, Phase, Queue

PHASE_COLOURS = {
    Phase.DRAFT: "info",
    Phase.SCHEDULED: "info",
    Phase.LOBBY: "warning",
    Phase.OPEN: "success",
    Phase.PAUSED: "warning",
    Phase.SOLD_OUT: "danger",
    Phase.CLOSED: "default",
}


class QueueForm(forms.ModelForm):
    guests = GuestsField(
        label=_("Audience"),
        required=False,
        help_text=_("Who may join: e-mail addresses and domains, one a line. Empty: everybody."),
    )

    class Meta:
        model = Queue
        fields = (
            "event",
            "name",
            "slug",
            "kind",
            "tiers",
            "scheduled_start",
            "scheduled_end",
            "lobby_opens_at",
            "max_concurrent_admissions",
            "admission_rate_per_minute",
            "admission_window_seconds",
            "claim_window_seconds",
            "max_purchases_per_customer",
            "require_authentication",
            "enable_captcha",
            "captcha_threshold",
            "require_access_code",
            "max_waiting",
            "eligible_cards",
            "allocation",
            "message",
            "metadata",
        )
        labels = {"slug": _("Page address")}
        help_texts = {"admission_window_seconds": _("600 seconds are ten minutes.")}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            addresses = self.instance.guests.order_by("address").values_list("address", flat=True)
            self.initial["guests"] = list(addresses)
        event = self._chosen_event()
        if event is None:
            self._announce_zone()
        else:
            use_zone(self, event.zone, self.instance)
        tiers = self.fields.get("tiers")
        if isinstance(tiers, forms.ModelMultipleChoiceField):
            self._offer_tiers(tiers, event)

    def clean(self) -> dict[str, Any]:
        facts = super().clean() or {}
        if facts.get("require_authentication", True):
            return facts
        event = self._chosen_event()
        if event is not None and event.require_identification:
            self.add_error("require_authentication", _("The event asks who its fans are: they need an account."))
        for name in ("guests", "eligible_cards"):
            if facts.get(name):
                self.add_error(
                    name, _("Only an account can show that: let this queue ask for one, or leave this empty.")
                )
        return facts

    def _announce_zone(self) -> None:
        for field in self.fields.values():
            if isinstance(field, PlaceTimeField):
                field.help_text = _("Time at the place of the event, in its time zone.")

    def _chosen_event(self) -> Event | None:
        if self.instance.event_id:
            return self.instance.event
        events = self.fields.get("event")
        if not isinstance(events, forms.ModelChoiceField) or events.queryset is None:
            return None
        chosen = str(self.data.get("event") or self.initial.get("event") or "")
        return events.queryset.filter(pk=chosen).first() if chosen.isdecimal() else None

    def _offer_tiers(self, tiers: forms.ModelMultipleChoiceField, event: Event | None) -> None:
        offered = Tier.objects.filter(pk__in=tiers.queryset) if tiers.queryset is not None else Tier.objects.none()
        tiers.queryset = offered.select_related("event").order_by("-event__starts_at", "event_id", "position", "pk")
        if event is None:
            tiers.label_from_instance = _with_event  # type: ignore[assignment, method-assign]
        else:
            tiers.queryset = tiers.queryset.filter(event=event)


def _with_event(tier: Any) -> str:
    return f"{tier.event}: {tier}"


@admin.register(Queue)
class QueueAdmin(AccessCodesDesk, NoticesDesk, SaleDesk):
    organizer_path = "event__organizer"
    choice_paths = {"tiers": "event__organizer", "eligible_cards": None}
    form = QueueForm
    list_display = ("name", "event", "phase_badge", "opens", "waiting", "admitted")
    list_filter = ("kind", "event")
    list_select_related = ("event",)
    search_fields = ("name", "slug", "event__name")
    ordering = ("-scheduled_start", "pk")
    prepopulated_fields = {"slug": ("name",)}
    fieldsets = (
        (None, {"fields": (("phase_now", "waiting", "admitted"), "event", "name", "slug", "kind", "tiers")}),
        (_("Times"), {"fields": (("scheduled_start", "scheduled_end"), "lobby_opens_at")}),
        (
            _("Letting in"),
            {
                "fields": (
                    ("max_concurrent_admissions", "admission_rate_per_minute"),
                    ("admission_window_seconds", "claim_window_seconds"),
                    "max_purchases_per_customer",
                    ("allocation", "allocation_used"),
                )
            },
        ),
        (
            _("Who can join"),
            {
                "fields": (
                    "require_authentication",
                    ("enable_captcha", "captcha_threshold"),
                    "require_access_code",
                    "guests",
                    "eligible_cards",
                    "max_waiting",
                )
            },
        ),
        (_("Told to the line"), {"fields": ("message", "notices_sent")}),
        (_("For programs"), {"classes": ("collapse",), "fields": ("metadata",)}),
    )
    readonly_fields = ("phase_now", "waiting", "admitted", "allocation_used", "notices_sent")
    actions_detail: ClassVar[tuple[Any, ...]] = (
        *SaleDesk.about_sale,
        {"title": _("The line"), "icon": "group", "items": SaleDesk.about_line},
        {"title": _("Codes"), "icon": "key", "items": AccessCodesDesk.about_codes},
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return (
            super()
            .get_queryset(request)
            .annotate(
                waiting_count=_count(Admission.objects.waiting()),
                admitted_count=_count(Admission.objects.admitted()),
            )
        )

    def get_readonly_fields(self, request: HttpRequest, obj: Queue | None = None) -> tuple[str, ...]:
        # Who stands in line stands there for this event.
        return (*self.readonly_fields, "event") if obj is not None else self.readonly_fields

    def formfield_for_choice_field(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "kind":
            # A waitlist fills itself when a sale has sold out; nobody makes one.
            kwargs["choices"] = [choice for choice in Queue.Kind.choices if choice[0] != Queue.Kind.WAITLIST]
        return super().formfield_for_choice_field(db_field, request, **kwargs)

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name in {"tiers", "eligible_cards"}:
            kwargs["widget"] = UnfoldAdminCheckboxSelectMultipleWidget
        return super().formfield_for_manytomany(db_field, request, **kwargs)

    def view_on_site(self, obj: Queue) -> str | None:
        is_visible = obj.published_at is not None and obj.event.status != Event.Status.DRAFT
        return reverse("orders:journey", args=[obj.slug]) if is_visible else None

    @display(description=_("phase"), label=PHASE_COLOURS)
    def phase_badge(self, queue: Queue) -> tuple[str, Any]:
        phase = queue.phase(timezone.now())
        return phase, phase.label

    @display(description=_("phase"))
    def phase_now(self, queue: Queue) -> Any:
        return queue.phase(timezone.now()).label if queue.pk else Phase.DRAFT.label

    @display(description=_("opens"), ordering="scheduled_start")
    def opens(self, queue: Queue) -> str:
        return with_utc(queue.scheduled_start, queue.event)

    @display(description=_("waiting"))
    def waiting(self, queue: Any) -> int:
        return getattr(queue, "waiting_count", 0)

    @display(description=_("inside"))
    def admitted(self, queue: Any) -> int:
        return getattr(queue, "admitted_count", 0)

    @display(description=_("reserved or sold of them"))
    def allocation_used(self, queue: Queue) -> Any:
        if queue.allocation is None:
            return _("Not counted")
        return _("%(used)d of %(most)d") % {"used": queue.allocated_count, "most": queue.allocation}

    def save_related(self, request: HttpRequest, form: forms.ModelForm, formsets: list[Any], change: bool) -> None:
        super().save_related(request, form, formsets, change)
        if "guests" in form.changed_data:
            services.change_guests(form.instance, form.cleaned_data["guests"])


def _count(admissions: QuerySet) -> Coalesce:
    counted = admissions.filter(queue=OuterRef("pk")).order_by().values("queue").annotate(number=Count("pk"))
    return Coalesce(Subquery(counted.values("number"), output_field=models.IntegerField()), 0)


class CardPrefixInline(SuperuserOnly, TabularInline):
    model = CardPrefix
    extra = 0


@admin.register(CardProgramme)
class CardProgrammeAdmin(SuperuserOnly, Audited, ModelAdmin):
    """Card programmes are common to all organizers; whoever runs the platform keeps them."""

    list_display = ("name", "slug")
    search_fields = ("name", "slug")
    ordering = ("name",)
    prepopulated_fields = {"slug": ("name",)}
    inlines = (CardPrefixInline,)


def _event_of(admission: Admission) -> Event:
    return admission.queue.event


JOINED = place_time("joined_at", _("joined"), _event_of)
ADMITTED = place_time("admitted_at", _("let in"), _event_of)
WINDOW_ENDS = place_time("window_ends_at", _("time to buy ends"), _event_of)
CLAIM_ENDS = place_time("claim_ends_at", _("time to show up ends"), _event_of)
CLAIMED = place_time("claimed_at", _("showed up"), _event_of)
ENDED = place_time("ended_at", _("ended"), _event_of)


@admin.register(Admission)
class AdmissionAdmin(ReadOnly, FlaggedAddresses, SaleAdmin):
    organizer_path = "queue__event__organizer"
    fan_path = "user"
    list_display = ("user", "address_flags", "queue", "status_badge", "place", JOINED, ADMITTED, "order_code")
    list_filter = ("status", "queue", AddressFilter)
    list_select_related = ("user", "queue__event")
    search_fields = ("user__email",)
    search_help_text = _("Search by e-mail address")
    ordering = ("-pk",)
    show_full_result_count = False
    fields = (
        "queue",
        ("user", "about_address"),
        ("status", "reason"),
        ("place", "public_id"),
        (JOINED, ADMITTED),
        (WINDOW_ENDS, CLAIM_ENDS),
        (CLAIMED, ENDED),
        ("has_hold", "order_code"),
    )

    @display(
        description=_("status"),
        ordering="status",
        label={
            "waiting": "info",
            "admitted": "success",
            "completed": "success",
            "expired": "warning",
            "denied": "danger",
        },
    )
    def status_badge(self, admission: Admission) -> tuple[str, str]:
        return admission.status, admission.get_status_display()


admin.site.register(Notice, NoticeAdmin)
