"""What a fan buys: orders, their lines, payments and tickets."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from payments import PaymentStatus, PurchasedItem
from payments.models import BasePayment

from accounts.models import Organizer, User
from accounts.stages import HasStatus
from events.models import Event, Tier
from orders import codes
from queues.models import Admission, Queue

HOLDER_LENGTH = 150


class OrderQuerySet(models.QuerySet["Order"]):
    def lock(self) -> Self:
        """Lock the rows, lowest pk first, against every other writer."""
        return self.order_by("pk").select_for_update(of=("self",), no_key=True)

    def for_buyer(self, user: User) -> Self:
        return self.filter(buyer=user)

    def for_organizer(self, organizer: Organizer) -> Self:
        return self.filter(event__organizer=organizer)

    def held(self) -> Self:
        return self.filter(status=Order.Status.HELD)

    def paid(self) -> Self:
        return self.filter(status=Order.Status.PAID)

    def within_hold(self) -> Self:
        """Holds whose time is not over, by the database's clock."""
        return self.held().filter(hold_ends_at__gt=Now())

    def lapsed(self) -> Self:
        """Holds whose time is over and that are not being paid for by money that has arrived."""
        return self.filter(_has_lapsed())

    def as_of_now(self) -> Self:
        """Add `status_now`: a hold whose time is over is lapsed, though the sweep that says so is still on its way."""
        lapsed = models.When(_has_lapsed(), then=models.Value(Order.Status.LAPSED))
        return self.annotate(status_now=models.Case(lapsed, default=F("status"), output_field=models.CharField()))

    def to_tell_of_cancellation(self) -> Self:
        """Paid orders of cancelled events whose buyers have not been written to."""
        told = self.paid().filter(event__status=Event.Status.CANCELLED, cancellation_told_at__isnull=True)
        # Of a closed account nobody is left to write to.
        return told.filter(buyer__closed_at__isnull=True)

    def with_lines(self) -> Self:
        lines = Line.objects.select_related("tier").order_by("tier__position", "tier_id")
        return self.prefetch_related(models.Prefetch("lines", queryset=lines))


def _has_lapsed() -> Q:
    arrived = Payment.objects.confirmed().filter(order=models.OuterRef("pk"))
    return Q(~models.Exists(arrived), status=Order.Status.HELD, hold_ends_at__lte=Now())


class Order(HasStatus):
    """Tickets that a fan holds or has bought; a hold is an order that is not yet paid."""

    class Status(models.TextChoices):
        HELD = "held", _("Held")
        PAID = "paid", _("Paid")
        LAPSED = "lapsed", _("Lapsed")
        CANCELLED = "cancelled", _("Cancelled")
        REPLACED = "replaced", _("Replaced")
        REFUNDED = "refunded", _("Refunded")

    # What has ended can still be paid by money that was under way; see services.settlement.
    TRANSITIONS = {
        Status.HELD: {Status.PAID, Status.LAPSED, Status.CANCELLED, Status.REPLACED},
        Status.LAPSED: {Status.PAID},
        Status.CANCELLED: {Status.PAID},
        Status.REPLACED: {Status.PAID},
        Status.PAID: {Status.REFUNDED},
        Status.REFUNDED: set(),
    }

    code = models.CharField(
        _("confirmation number"), max_length=12, unique=True, default=codes.confirmation_number, editable=False
    )
    event = models.ForeignKey(Event, on_delete=models.PROTECT, related_name="orders")
    queue = models.ForeignKey(Queue, on_delete=models.PROTECT, related_name="orders")
    admission = models.ForeignKey(Admission, on_delete=models.PROTECT, related_name="orders")
    buyer = models.ForeignKey(User, on_delete=models.PROTECT, related_name="orders")
    status = models.CharField(_("status"), max_length=20, choices=Status.choices, default=Status.HELD)
    currency = models.CharField(_("currency"), max_length=3)
    subtotal = models.DecimalField(_("tickets"), max_digits=12, decimal_places=2)
    service_fee = models.DecimalField(_("service fee"), max_digits=12, decimal_places=2)
    total = models.DecimalField(_("total"), max_digits=12, decimal_places=2)
    email = models.EmailField(_("contact e-mail"), blank=True)
    # One name a ticket, in the order of the lines; tickets get them when they are issued.
    holders = models.JSONField(_("holders"), default=list, blank=True)
    terms_accepted_at = models.DateTimeField(_("terms accepted"), null=True, blank=True)
    created_at = models.DateTimeField(_("held since"), db_default=Now())
    hold_ends_at = models.DateTimeField(_("hold ends"))
    paid_at = models.DateTimeField(_("paid"), null=True, blank=True)
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)
    cancellation_told_at = models.DateTimeField(_("told that the event is cancelled"), null=True, blank=True)

    objects = OrderQuerySet.as_manager()

    class Meta:
        verbose_name = _("order")
        verbose_name_plural = _("orders")
        constraints = [
            models.UniqueConstraint(name="admission_has_one_hold", fields=["admission"], condition=Q(status="held")),
            models.CheckConstraint(name="order_total_adds_up", condition=Q(total=F("subtotal") + F("service_fee"))),
            models.CheckConstraint(name="paid_order_says_when", condition=~Q(status="paid") | Q(paid_at__isnull=False)),
        ]
        indexes = [
            models.Index(name="holds_by_deadline", fields=["hold_ends_at"], condition=Q(status="held")),
            models.Index(
                name="buyers_to_tell", fields=["event"], condition=Q(status="paid", cancellation_told_at__isnull=True)
            ),
        ]

    def __str__(self) -> str:
        return self.code

    @property
    def is_held(self) -> bool:
        return self.status == self.Status.HELD

    @property
    def is_paid(self) -> bool:
        return self.status == self.Status.PAID

    @property
    def is_free(self) -> bool:
        return self.total == 0

    @property
    def contact_email(self) -> str:
        """Where letters about the order go: the address given for it, or else the account's."""
        return self.email or self.buyer.email

    def holder_names(self) -> list[str]:
        """Return a name for each ticket: those given before a declined payment, or else the buyer's own."""
        return list(self.holders) or [self.buyer.name] * self.ticket_count()

    def quantities(self) -> dict[Tier, int]:
        """Return how many tickets of which tier; asks the database unless the lines were fetched."""
        return {line.tier: line.quantity for line in self.lines.all()}

    def ticket_count(self) -> int:
        return sum(line.quantity for line in self.lines.all())

    def has_payment_in_progress(self) -> bool:
        """Whether the fan may be paying just now, or has paid and only the settlement is still to come."""
        return Payment.objects.of(self).unsettled().exists()

    def get_absolute_url(self) -> str:
        return reverse("orders:detail", args=[self.code])


class Line(models.Model):
    """So many tickets of one tier in an order, with the prices as they were when they were held."""

    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="lines")
    tier = models.ForeignKey(Tier, on_delete=models.PROTECT, related_name="lines")
    quantity = models.PositiveSmallIntegerField(_("quantity"))
    unit_price = models.DecimalField(_("price"), max_digits=9, decimal_places=2)
    unit_fee = models.DecimalField(_("service fee"), max_digits=9, decimal_places=2)

    class Meta:
        verbose_name = _("line")
        verbose_name_plural = _("lines")
        constraints = [
            models.UniqueConstraint(name="order_has_one_line_a_tier", fields=["order", "tier"]),
            models.CheckConstraint(name="line_has_a_ticket", condition=Q(quantity__gte=1)),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} x {self.tier}"

    @property
    def price(self) -> Decimal:
        return self.unit_price * self.quantity

    @property
    def price_with_fee(self) -> Decimal:
        return (self.unit_price + self.unit_fee) * self.quantity


IN_PROGRESS = [PaymentStatus.WAITING, PaymentStatus.INPUT, PaymentStatus.PREAUTH]


class PaymentQuerySet(models.QuerySet["Payment"]):
    def of(self, order: Order) -> Self:
        return self.filter(order=order)

    def in_progress(self) -> Self:
        """Payments that a fan may be busy with at the provider."""
        return self.filter(status__in=IN_PROGRESS)

    def unsettled(self) -> Self:
        """Payments in progress, and money that has arrived: while there is one, its order stays as it is."""
        arrived = Q(status=PaymentStatus.CONFIRMED, settled_at__isnull=True)
        return self.filter(arrived | Q(status__in=IN_PROGRESS))

    def confirmed(self) -> Self:
        """Money that has arrived and has not yet become tickets or gone back."""
        return self.filter(status=PaymentStatus.CONFIRMED, settled_at__isnull=True)

    def to_refund(self) -> Self:
        """Money that found no tickets, is still here, and that nobody is just sending back."""
        free = Q(refund_leased_until__isnull=True) | Q(refund_leased_until__lte=Now())
        return self.filter(free, status=PaymentStatus.CONFIRMED, refund_due_at__isnull=False)


class Payment(BasePayment):
    """One attempt to pay one order; order, amount and currency never change."""

    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="+")
    # As wide as an order's total.
    total = models.DecimalField(_("total"), max_digits=12, decimal_places=2)
    captured_amount = models.DecimalField(_("captured"), max_digits=12, decimal_places=2, default=0)
    settled_at = models.DateTimeField(_("settled"), null=True, blank=True)
    refund_due_at = models.DateTimeField(_("refund due"), null=True, blank=True)
    refund_leased_until = models.DateTimeField(_("refund under way until"), null=True, blank=True)
    refund_reason = models.CharField(_("reason of the refund"), max_length=60, blank=True, default="")

    objects = PaymentQuerySet.as_manager()

    class Meta:
        verbose_name = _("payment")
        verbose_name_plural = _("payments")
        constraints = [
            models.UniqueConstraint(
                name="order_is_paid_by_one_payment_at_a_time",
                fields=["order"],
                condition=Q(status__in=["waiting", "input", "preauth"]),
            ),
        ]
        indexes = [
            models.Index(
                name="payments_to_settle", fields=["id"], condition=Q(status="confirmed", settled_at__isnull=True)
            ),
            models.Index(
                name="payments_to_refund", fields=["id"], condition=Q(status="confirmed", refund_due_at__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.order} {self.total} {self.currency}"

    @property
    def is_declined(self) -> bool:
        return self.status in {PaymentStatus.REJECTED, PaymentStatus.ERROR}

    def return_path(self) -> str:
        """Return where on this site the browser goes on, however the payment ended."""
        return reverse("orders:return", args=[self.order.code])

    def get_success_url(self) -> str:
        return settings.SITE_URL + self.return_path()

    def get_failure_url(self) -> str:
        return settings.SITE_URL + self.return_path()

    def get_purchased_items(self) -> list[PurchasedItem]:
        return [
            PurchasedItem(
                name=line.tier.name,
                quantity=line.quantity,
                price=line.unit_price + line.unit_fee,
                currency=self.currency,
                sku=line.tier.slug,
            )
            for line in self.order.lines.select_related("tier")
        ]


# Longer than any single event: an event says when it begins and not when it ends.
EVENT_LASTS = timedelta(hours=24)


class TicketQuerySet(models.QuerySet["Ticket"]):
    def for_owner(self, user: User) -> Self:
        return self.filter(owner=user)

    def for_organizer(self, organizer: Organizer) -> Self:
        return self.filter(event__organizer=organizer)

    def for_coming_events(self) -> Self:
        """Tickets that still let somebody in, by the database's clock; an event is over after `EVENT_LASTS`."""
        coming = self.filter(status=Ticket.Status.VALID, event__starts_at__gt=Now() - EVENT_LASTS)
        return coming.exclude(event__status=Event.Status.CANCELLED)

    def by_event(self) -> Self:
        return self.order_by("event__starts_at", "event_id", "pk")


class Ticket(HasStatus):
    """The right of one person to enter once."""

    class Status(models.TextChoices):
        VALID = "valid", _("Valid")
        USED = "used", _("Used")
        VOID = "void", _("Void")

    TRANSITIONS = {
        Status.VALID: {Status.USED, Status.VOID},
        Status.USED: {Status.VALID, Status.VOID},
        Status.VOID: set(),
    }

    public_id = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    code = models.CharField(_("code"), max_length=40, unique=True, default=codes.ticket_code, editable=False)
    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="tickets")
    tier = models.ForeignKey(Tier, on_delete=models.PROTECT, related_name="tickets")
    event = models.ForeignKey(Event, on_delete=models.PROTECT, related_name="tickets")
    owner = models.ForeignKey(User, on_delete=models.PROTECT, related_name="tickets")
    holder_name = models.CharField(_("holder"), max_length=HOLDER_LENGTH)
    status = models.CharField(_("status"), max_length=20, choices=Status.choices, default=Status.VALID)
    issued_at = models.DateTimeField(_("issued"), db_default=Now())

    objects = TicketQuerySet.as_manager()

    class Meta:
        verbose_name = _("ticket")
        verbose_name_plural = _("tickets")

    def __str__(self) -> str:
        return str(self.public_id)

    def is_code_released(self, now: datetime) -> bool:
        """Whether the code may be shown: near the event, and only while the ticket is good for entry."""
        is_good = self.status != self.Status.VOID and not self.event.is_cancelled
        return is_good and now >= self.event.tickets_released_at

    def get_absolute_url(self) -> str:
        return reverse("orders:ticket", args=[self.public_id])
