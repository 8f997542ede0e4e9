"""Lines to a sale: queues, admissions and allowances."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import Self

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from accounts.models import Organizer, User
from accounts.stages import HasStatus
from events.models import Event, Tier, TierQuerySet
from queues.allocation import IS_LEFT, IS_USED_UP, HasAllocation
from queues.allowance import Allowance, AllowanceQuerySet
from queues.conditions import AccessCode, AccessCodeUse, CaptchaThreshold, CardPrefix, CardProgramme, Guest, Readiness
from queues.notices import Notice
from queues.stages import EndReason, Phase
from queues.visitors import FAN_CONSTRAINTS, FAN_INDEXES, HasFan, Visitor

__all__ = [
    "AccessCode",
    "AccessCodeUse",
    "Admission",
    "AdmissionQuerySet",
    "Allowance",
    "AllowanceQuerySet",
    "CardPrefix",
    "CardProgramme",
    "EndReason",
    "Guest",
    "NextPlace",
    "Notice",
    "Phase",
    "Queue",
    "QueueQuerySet",
    "Readiness",
]


class QueueQuerySet(models.QuerySet["Queue"]):
    def lock(self) -> Self:
        """Lock the rows, lowest pk first, against every other writer."""
        return self.order_by("pk").select_for_update(of=("self",), no_key=True)

    def published(self) -> Self:
        return self.filter(published_at__isnull=False).exclude(event__status=Event.Status.DRAFT)

    def for_organizer(self, organizer: Organizer) -> Self:
        return self.filter(event__organizer=organizer)

    def live(self) -> Self:
        """Queues with something left to do: opened, or about to be; somebody may still be inside after the end."""
        unfinished = Admission.objects.filter(queue=models.OuterRef("pk")).live()
        return self.published().filter(Q(closed_at__isnull=True, sold_out_at__isnull=True) | models.Exists(unfinished))

    def ended(self) -> Self:
        """Published queues in which nobody is let in any more, by the database's clock."""
        over = Q(closed_at__isnull=False) | Q(sold_out_at__isnull=False) | Q(scheduled_end__lte=Now())
        return self.published().filter(over | Q(event__status=Event.Status.CANCELLED))

    def with_waiting(self) -> Self:
        return self.filter(models.Exists(Admission.objects.waiting().filter(queue=models.OuterRef("pk"))))

    def all_sold(self) -> Self:
        """Queues that open tiers, of which every ticket, or all that they may give, is sold and not merely reserved."""
        tiers = tiers_of_outer_queue()
        holding = Admission.objects.admitted().filter(queue=models.OuterRef("pk"), has_hold=True)
        return self.filter(
            ~models.Exists(tiers.unsold()) | (IS_USED_UP & ~models.Exists(holding)), models.Exists(tiers)
        )

    def restocked(self) -> Self:
        """Queues marked as sold out in which somebody could take a ticket again."""
        return self.filter(IS_LEFT, models.Exists(tiers_of_outer_queue().on_hand()), sold_out_at__isnull=False)

    def without_allocation(self) -> Self:
        return self.filter(allocation__isnull=True)

    def in_order(self) -> Self:
        return self.order_by("scheduled_start", "pk")


def tiers_of_outer_queue() -> TierQuerySet:
    """Return, for a subquery, what `Queue.open_tiers` returns for one queue."""
    named = Queue.tiers.through.objects.filter(queue=models.OuterRef(models.OuterRef("pk")))
    is_named = models.Exists(named.filter(tier=models.OuterRef("pk")))
    return Tier.objects.filter(Q(is_named) | ~models.Exists(named), event=models.OuterRef("event"))


class Queue(HasAllocation):
    """One line to the tiers of an event."""

    class Kind(models.TextChoices):
        PRESALE = "presale", _("Presale")
        GENERAL = "general", _("General sale")
        WAITLIST = "waitlist", _("Waitlist")

    class FairnessMode(models.TextChoices):
        STRICT = "strict", _("First come, first served")
        LOTTERY = "lottery", _("Places are drawn")

    MESSAGE_LENGTH = 300

    event = models.ForeignKey(Event, on_delete=models.PROTECT, related_name="queues")
    tiers = models.ManyToManyField(
        Tier, verbose_name=_("tiers"), blank=True, help_text=_("The tiers it opens; none means all of the event.")
    )
    kind = models.CharField(_("kind"), max_length=20, choices=Kind.choices, default=Kind.GENERAL)
    name = models.CharField(_("name"), max_length=200)
    slug = models.SlugField(_("address"), max_length=100, unique=True, help_text=_("Part of the page's address."))
    scheduled_start = models.DateTimeField(_("opens"))
    scheduled_end = models.DateTimeField(_("closes"), null=True, blank=True)
    lobby_opens_at = models.DateTimeField(_("lobby opens"), null=True, blank=True)
    max_concurrent_admissions = models.PositiveIntegerField(
        _("people inside at once"), default=200, validators=[MinValueValidator(1)]
    )
    admission_window_seconds = models.PositiveIntegerField(
        _("seconds to buy"), default=600, validators=[MinValueValidator(30), MaxValueValidator(86_400)]
    )
    admission_rate_per_minute = models.PositiveIntegerField(
        _("people let in a minute"), default=300, validators=[MinValueValidator(1)]
    )
    claim_window_seconds = models.PositiveIntegerField(
        _("seconds to show up"),
        default=0,
        help_text=_("A fan who stays away longer after being let in loses the turn. 0: as long as the turn lasts."),
    )
    fairness_mode = models.CharField(
        _("order"), max_length=20, choices=FairnessMode.choices, default=FairnessMode.STRICT
    )
    require_authentication = models.BooleanField(
        _("asks for an account"),
        default=True,
        help_text=_(
            "Unticked: anybody can join, and needs an account only to buy. One person may take several places."
        ),
    )
    enable_captcha = models.BooleanField(
        _("keeps programs out"), default=True, help_text=_("Each fan's browser works out a small sum before joining.")
    )
    captcha_threshold = models.CharField(
        _("work for it"), max_length=10, choices=CaptchaThreshold.choices, default=CaptchaThreshold.MEDIUM
    )
    require_access_code = models.BooleanField(
        _("asks for a code"), default=False, help_text=_("Only fans with one of the access codes below can join.")
    )
    eligible_cards = models.ManyToManyField(
        CardProgramme,
        verbose_name=_("eligible cards"),
        blank=True,
        related_name="queues",
        help_text=_("Only holders of one of these can join; none chosen: everybody."),
    )
    max_waiting = models.PositiveIntegerField(
        _("people in line at most"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text=_("Empty: as many as come. Those who join at the same instant may be a few more."),
    )
    max_purchases_per_customer = models.PositiveSmallIntegerField(
        _("orders per customer"), null=True, blank=True, help_text=_("Empty: as the event says.")
    )
    message = models.CharField(_("message to the line"), max_length=MESSAGE_LENGTH, blank=True)
    metadata = models.JSONField(_("metadata"), default=dict, blank=True)
    published_at = models.DateTimeField(_("published"), null=True, blank=True, editable=False)
    paused_at = models.DateTimeField(_("paused"), null=True, blank=True, editable=False)
    sold_out_at = models.DateTimeField(_("sold out"), null=True, blank=True, editable=False)
    closed_at = models.DateTimeField(_("closed"), null=True, blank=True, editable=False)

    objects = QueueQuerySet.as_manager()

    class Meta:
        verbose_name = _("queue")
        verbose_name_plural = _("queues")
        constraints = [
            models.CheckConstraint(
                name="queue_opens_before_it_closes",
                condition=Q(scheduled_end__isnull=True) | Q(scheduled_start__lt=F("scheduled_end")),
                violation_error_message=_("A queue must open before it closes."),
            ),
            models.CheckConstraint(
                name="queue_lobby_opens_before_the_queue",
                condition=Q(lobby_opens_at__isnull=True) | Q(lobby_opens_at__lte=F("scheduled_start")),
                violation_error_message=_("The lobby must open before the queue does."),
            ),
            models.CheckConstraint(
                name="queue_lets_somebody_in",
                condition=Q(max_concurrent_admissions__gte=1, admission_rate_per_minute__gte=1),
            ),
            models.CheckConstraint(name="queue_gives_time_to_buy", condition=Q(admission_window_seconds__gte=1)),
            models.CheckConstraint(
                name="queue_with_a_code_asks_for_an_account",
                condition=Q(require_authentication=True) | Q(require_access_code=False),
                violation_error_message=_("A code is used by an account: let this queue ask for both, or for neither."),
            ),
            models.CheckConstraint(
                name="queue_never_over_its_allocation",
                condition=Q(allocation__isnull=True) | Q(allocated_count__lte=F("allocation")),
                violation_error_message=_("More tickets are reserved or sold in this queue than that."),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_paused(self) -> bool:
        return self.paused_at is not None

    @property
    def is_sold_out(self) -> bool:
        return self.sold_out_at is not None

    @property
    def admission_window(self) -> timedelta:
        return timedelta(seconds=self.admission_window_seconds)

    @property
    def order_limit(self) -> int:
        """Orders one fan may have: the event's limit, or this queue's where it is stricter."""
        limits = [self.event.max_orders_per_customer, self.max_purchases_per_customer]
        return min(limit for limit in limits if limit is not None)

    @property
    def ticket_limit(self) -> int:
        """Tickets one fan may have over all orders of the event."""
        return self.event.max_tickets_per_order * self.order_limit

    def open_tiers(self) -> TierQuerySet:
        """Return the tiers it opens: those named, or else all of the event."""
        named = Queue.tiers.through.objects.filter(queue=self.pk)
        return Tier.objects.filter(Q(pk__in=named.values("tier")) | ~models.Exists(named), event=self.event_id)

    def is_closed(self, now: datetime) -> bool:
        return self.closed_at is not None or (self.scheduled_end is not None and self.scheduled_end <= now)

    def phase(self, now: datetime) -> Phase:
        """Say where the queue stands at `now`. The event must have been loaded with it."""
        if self.published_at is None or self.event.status == Event.Status.DRAFT:
            return Phase.DRAFT
        if self.is_closed(now) or self.event.is_cancelled:
            return Phase.CLOSED
        if self.is_sold_out:
            return Phase.SOLD_OUT
        if now < self.scheduled_start:
            return Phase.LOBBY if self.lobby_opens_at and self.lobby_opens_at <= now else Phase.SCHEDULED
        return Phase.PAUSED if self.is_paused else Phase.OPEN

    @property
    def end_reason(self) -> EndReason:
        """Why an ended queue sends away who still waits. The event must have been loaded with it."""
        if self.is_sold_out:
            return EndReason.SOLD_OUT
        return EndReason.EVENT_CANCELLED if self.event.is_cancelled else EndReason.QUEUE_CLOSED


class NextPlace(models.Func):
    """The next number of the database sequence that orders every line (see queues/migrations/0001)."""

    template = "nextval('queues_place')"
    output_field = models.BigIntegerField()


# Has not shown up, and the time for it is over.
IS_ABSENT = Q(claimed_at__isnull=True, claim_ends_at__lte=Now())


class AdmissionQuerySet(models.QuerySet["Admission"]):
    def lock(self) -> Self:
        """Lock the rows, lowest pk first, against every other writer."""
        return self.order_by("pk").select_for_update(of=("self",), no_key=True)

    def for_fan(self, fan: User | Visitor) -> Self:
        return self.filter(visitor=fan.pk) if isinstance(fan, Visitor) else self.filter(user=fan)

    def live(self) -> Self:
        return self.filter(status__in=[Admission.Status.WAITING, Admission.Status.ADMITTED])

    def waiting(self) -> Self:
        return self.filter(status=Admission.Status.WAITING)

    def admitted(self) -> Self:
        return self.filter(status=Admission.Status.ADMITTED)

    def in_line_order(self) -> Self:
        return self.order_by("place")

    def within_window(self) -> Self:
        """Admitted fans whose time is not over, and who showed up or still may, by the database's clock."""
        present = Q(claimed_at__isnull=False) | Q(claim_ends_at__isnull=True) | Q(claim_ends_at__gt=Now())
        return self.admitted().filter(present, window_ends_at__gt=Now())

    def lapsed(self) -> Self:
        """Admitted fans without a hold whose time is over, or who did not show up in time.

        One with a hold belongs to the sweep over lapsed orders, which ends both together.
        """
        over = Q(window_ends_at__lte=Now())
        return self.admitted().filter(over | IS_ABSENT, has_hold=False)


class Admission(HasFan, HasStatus):
    """One fan's passage through one queue."""

    class Status(models.TextChoices):
        WAITING = "waiting", _("Waiting")
        ADMITTED = "admitted", _("Admitted")
        COMPLETED = "completed", _("Completed")
        EXPIRED = "expired", _("Expired")
        LEFT = "left", _("Left")
        DENIED = "denied", _("Denied")

    TRANSITIONS = {
        Status.WAITING: {Status.ADMITTED, Status.LEFT, Status.DENIED},
        Status.ADMITTED: {Status.COMPLETED, Status.EXPIRED, Status.LEFT, Status.DENIED},
        Status.COMPLETED: set(),
        # Money that comes late can still turn into tickets.
        Status.EXPIRED: {Status.COMPLETED},
        Status.LEFT: {Status.COMPLETED},
        Status.DENIED: set(),
    }

    queue = models.ForeignKey(Queue, on_delete=models.PROTECT, related_name="admissions", db_index=False)
    public_id = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    status = models.CharField(_("status"), max_length=20, choices=Status.choices, default=Status.WAITING)
    place = models.BigIntegerField(_("place"), db_default=NextPlace(), editable=False)
    joined_at = models.DateTimeField(_("joined"), db_default=Now())
    admitted_at = models.DateTimeField(_("admitted"), null=True, blank=True)
    window_ends_at = models.DateTimeField(_("time to buy ends"), null=True, blank=True)
    claim_ends_at = models.DateTimeField(_("time to show up ends"), null=True, blank=True)
    claimed_at = models.DateTimeField(_("showed up"), null=True, blank=True)
    grace_given_at = models.DateTimeField(_("extended for payment"), null=True, blank=True)
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)
    has_hold = models.BooleanField(_("holds tickets"), default=False)
    # Written by orders, so that a line need not look up what it cannot know.
    order_code = models.CharField(_("order"), max_length=12, blank=True, default="")
    reason = models.CharField(_("reason"), max_length=60, blank=True, default="")

    objects = AdmissionQuerySet.as_manager()

    class Meta:
        verbose_name = _("admission")
        verbose_name_plural = _("admissions")
        constraints = [
            *FAN_CONSTRAINTS,
            # Also the index that admitting reads: its cost does not grow with the line.
            models.UniqueConstraint(
                name="place_in_line_is_given_once", fields=["queue", "place"], condition=Q(status="waiting")
            ),
            models.CheckConstraint(
                name="admitted_fan_has_a_window",
                condition=~Q(status="admitted") | Q(admitted_at__isnull=False, window_ends_at__isnull=False),
            ),
            models.CheckConstraint(
                name="only_an_admitted_fan_holds_tickets", condition=Q(has_hold=False) | Q(status="admitted")
            ),
        ]
        indexes = [
            *FAN_INDEXES,
            models.Index(
                name="admitted_by_deadline", fields=["queue", "window_ends_at"], condition=Q(status="admitted")
            ),
            models.Index(
                name="admitted_lately", fields=["queue", "-admitted_at"], condition=Q(admitted_at__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return str(self.public_id)

    @property
    def is_waiting(self) -> bool:
        return self.status == self.Status.WAITING

    @property
    def is_admitted(self) -> bool:
        return self.status == self.Status.ADMITTED

    def is_absent(self, now: datetime) -> bool:
        """Whether the fan has not shown up, and the time for it is over at `now`."""
        return self.claimed_at is None and self.claim_ends_at is not None and self.claim_ends_at <= now

    def is_within_window(self, now: datetime) -> bool:
        """Whether the turn lasts at `now`: admitted, in time, and shown up in time."""
        return (
            self.is_admitted
            and not self.is_absent(now)
            and self.window_ends_at is not None
            and now < self.window_ends_at
        )

    @property
    def is_completed(self) -> bool:
        return self.status == self.Status.COMPLETED
