"""What is sold: venues, events and their tiers."""

from __future__ import annotations

import zoneinfo
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Self

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from accounts.models import Organizer
from accounts.stages import HasStatus
from events import money


def validate_time_zone(name: str) -> None:
    if name not in zoneinfo.available_timezones():
        raise ValidationError(_("“%(name)s” is not a time zone such as Europe/Berlin."), params={"name": name})


def validate_currency(code: str) -> None:
    if not money.is_currency(code):
        raise ValidationError(_("“%(code)s” is not a currency code such as USD."), params={"code": code})


def validate_perks(perks: object) -> None:
    if not isinstance(perks, list) or not all(isinstance(perk, str) and perk.strip() for perk in perks):
        raise ValidationError(_("Perks are a list of short texts."))


class VenueQuerySet(models.QuerySet["Venue"]):
    def for_organizer(self, organizer: Organizer) -> Self:
        return self.filter(organizer=organizer)


class Venue(models.Model):
    organizer = models.ForeignKey(Organizer, on_delete=models.PROTECT, related_name="venues")
    name = models.CharField(_("name"), max_length=200)
    city = models.CharField(_("city"), max_length=200)
    capacity = models.PositiveIntegerField(_("capacity"), validators=[MinValueValidator(1)])

    objects = VenueQuerySet.as_manager()

    class Meta:
        verbose_name = _("venue")
        verbose_name_plural = _("venues")

    def __str__(self) -> str:
        return f"{self.name}, {self.city}"


class EventQuerySet(models.QuerySet["Event"]):
    def published(self) -> Self:
        """Events that the public may see; a cancelled one stays, so that a link in a mail explains itself."""
        return self.exclude(status=Event.Status.DRAFT)

    def for_organizer(self, organizer: Organizer) -> Self:
        return self.filter(organizer=organizer)

    def upcoming(self, now: datetime) -> Self:
        """Events that have not begun and are not cancelled, soonest first."""
        going_on = self.exclude(status=Event.Status.CANCELLED)
        return going_on.filter(starts_at__gte=now).order_by("starts_at", "pk")

    def matching(self, text: str) -> Self:
        """Events whose name, venue or city contains every word of `text`."""
        events = self
        for word in text.split():
            events = events.filter(
                Q(name__icontains=word) | Q(venue__name__icontains=word) | Q(venue__city__icontains=word)
            )
        return events

    def with_price_range(self) -> Self:
        """Adds `lowest_price` and `highest_price` over the event's tiers, fees not included."""
        return self.annotate(lowest_price=models.Min("tiers__price"), highest_price=models.Max("tiers__price"))


class Event(HasStatus):
    class Status(models.TextChoices):
        DRAFT = "draft", _("Draft")
        PUBLISHED = "published", _("Published")
        CANCELLED = "cancelled", _("Cancelled")

    TRANSITIONS = {
        Status.DRAFT: {Status.PUBLISHED, Status.CANCELLED},
        Status.PUBLISHED: {Status.DRAFT, Status.CANCELLED},
        Status.CANCELLED: set(),
    }

    organizer = models.ForeignKey(Organizer, on_delete=models.PROTECT, related_name="events")
    venue = models.ForeignKey(Venue, on_delete=models.PROTECT, related_name="events")
    name = models.CharField(_("name"), max_length=200)
    slug = models.SlugField(_("address"), max_length=80, unique=True, help_text=_("Part of the page's address."))
    description = models.TextField(_("description"), blank=True)
    image = models.ImageField(_("image"), upload_to="events/", blank=True)
    doors_at = models.DateTimeField(_("doors"))
    starts_at = models.DateTimeField(_("start"))
    time_zone = models.CharField(
        _("time zone"),
        max_length=64,
        default="UTC",
        validators=[validate_time_zone],
        help_text=_("Times of this event are entered and shown in this zone."),
    )
    currency = models.CharField(_("currency"), max_length=3, default="USD", validators=[validate_currency])
    status = models.CharField(_("status"), max_length=20, choices=Status.choices, default=Status.DRAFT)

    max_tickets_per_order = models.PositiveSmallIntegerField(
        _("tickets per order"), default=4, validators=[MinValueValidator(1), MaxValueValidator(100)]
    )
    max_orders_per_customer = models.PositiveSmallIntegerField(
        _("orders per customer"), default=1, validators=[MinValueValidator(1), MaxValueValidator(100)]
    )
    require_identification = models.BooleanField(_("require identification"), default=False)
    tickets_non_transferable = models.BooleanField(_("tickets are non-transferable"), default=False)
    require_buyer_attendance = models.BooleanField(_("purchaser must be present"), default=False)
    service_fee_percent = models.DecimalField(
        _("service fee (%)"),
        max_digits=5,
        decimal_places=2,
        default=Decimal(10),
        validators=[MinValueValidator(0), MaxValueValidator(100)],
    )
    tickets_released_hours_before = models.PositiveSmallIntegerField(
        _("tickets are shown this many hours before"), default=48
    )
    transfer_cutoff_hours_before = models.PositiveSmallIntegerField(
        _("transfers close this many hours before"), default=24
    )
    returns_enabled = models.BooleanField(_("official resale"), default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = EventQuerySet.as_manager()

    class Meta:
        verbose_name = _("event")
        verbose_name_plural = _("events")
        constraints = [
            models.CheckConstraint(name="event_doors_open_before_it_starts", condition=Q(doors_at__lte=F("starts_at"))),
            models.CheckConstraint(name="event_sells_at_least_one_ticket", condition=Q(max_tickets_per_order__gte=1)),
            models.CheckConstraint(name="event_allows_at_least_one_order", condition=Q(max_orders_per_customer__gte=1)),
            models.CheckConstraint(
                name="event_fee_is_a_share", condition=Q(service_fee_percent__gte=0, service_fee_percent__lte=100)
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def zone(self) -> zoneinfo.ZoneInfo:
        return zoneinfo.ZoneInfo(self.time_zone)

    @property
    def is_cancelled(self) -> bool:
        return self.status == self.Status.CANCELLED

    @property
    def tickets_released_at(self) -> datetime:
        """When ticket codes are shown to their owners."""
        return self.starts_at - timedelta(hours=self.tickets_released_hours_before)

    def price_with_fee(self, price: Decimal) -> Decimal:
        return money.with_fee(price, percent=self.service_fee_percent, currency=self.currency)


AVAILABLE = F("quantity") + F("returned_count") - F("sold_count") - F("reserved_count") - F("set_aside_count")


class TierQuerySet(models.QuerySet["Tier"]):
    def lock(self) -> Self:
        """Lock the rows, lowest pk first, against every other writer."""
        return self.order_by("pk").select_for_update(of=("self",), no_key=True)

    def unsold(self) -> Self:
        """Tiers of which not every ticket is sold; what is merely reserved may come back."""
        return self.filter(sold_count__lt=F("quantity") + F("returned_count"))

    def on_hand(self) -> Self:
        """Tiers of which somebody could take a ticket now."""
        return self.alias(free=AVAILABLE).filter(free__gt=0)

    def released(self) -> Self:
        """Tiers that are on sale by now, by the database's clock."""
        return self.filter(Q(release_at__isnull=True) | Q(release_at__lte=Now()))

    def in_order(self) -> Self:
        return self.order_by("position", "pk")


class Tier(models.Model):
    """A kind of ticket with a price and a stock.

    The four counters move only through the stock functions of `events.services`.
    """

    event = models.ForeignKey(Event, on_delete=models.CASCADE, related_name="tiers")
    name = models.CharField(_("name"), max_length=100)
    slug = models.SlugField(_("short name"), max_length=60)
    description = models.CharField(_("description"), max_length=300, blank=True)
    perks = models.JSONField(_("perks"), default=list, blank=True, validators=[validate_perks])
    price = models.DecimalField(_("price"), max_digits=9, decimal_places=2, validators=[MinValueValidator(0)])
    quantity = models.PositiveIntegerField(_("quantity"))
    release_at = models.DateTimeField(
        _("on sale from"), null=True, blank=True, help_text=_("Only if it differs from the sale's opening.")
    )
    position = models.PositiveSmallIntegerField(_("order on the page"), default=0)

    sold_count = models.PositiveIntegerField(_("sold"), default=0, editable=False)
    reserved_count = models.PositiveIntegerField(_("reserved"), default=0, editable=False)
    returned_count = models.PositiveIntegerField(_("returned"), default=0, editable=False)
    set_aside_count = models.PositiveIntegerField(_("set aside"), default=0, editable=False)

    objects = TierQuerySet.as_manager()

    class Meta:
        verbose_name = _("tier")
        verbose_name_plural = _("tiers")
        constraints = [
            models.UniqueConstraint(name="tier_has_its_own_short_name_in_an_event", fields=["event", "slug"]),
            models.CheckConstraint(name="tier_price_is_not_negative", condition=Q(price__gte=0)),
            models.CheckConstraint(
                name="tier_never_oversold",
                condition=Q(
                    quantity__gte=F("sold_count") + F("reserved_count") + F("set_aside_count") - F("returned_count")
                ),
                violation_error_message=_("There are more tickets sold, reserved or set aside than that."),
            ),
            models.CheckConstraint(
                name="tier_returns_only_what_was_sold", condition=Q(returned_count__lte=F("sold_count"))
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def available(self) -> int:
        """Tickets that anyone may take now; 0 when there are none."""
        free = self.quantity + self.returned_count - self.sold_count - self.reserved_count - self.set_aside_count
        return max(0, free)

    @property
    def lowest_quantity(self) -> int:
        """The quantity may not be lowered beneath this."""
        return self.sold_count + self.reserved_count + self.set_aside_count

    @property
    def is_sold_out(self) -> bool:
        """Whether every ticket is sold, not merely reserved."""
        return self.sold_count >= self.quantity + self.returned_count

    def is_released(self, now: datetime) -> bool:
        return self.release_at is None or self.release_at <= now
