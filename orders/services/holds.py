"""Holding tickets and letting them go."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Collection, Mapping
from decimal import Decimal
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef, Subquery
from django.db.models.functions import Coalesce, Now

from accounts.models import User
from events import money
from events import services as event_services
from events.models import Event, Tier
from orders.models import Line, Order
from orders.refusals import (
    HoldLapsed,
    NothingChosen,
    OrderNotHeld,
    OrderTooLarge,
    PaymentInProgress,
    TierNotReleased,
)
from queues import admittance
from queues import services as queue_services
from queues.models import Admission, Allowance, Queue
from queues.refusals import (
    AdmittanceExpired,
    AdmittanceInvalid,
    EmailNotVerified,
    IdentityNotVerified,
    NotInLine,
    OrderLimitReached,
    TicketLimitReached,
)

logger = logging.getLogger(__name__)


class _TurnChangedError(Exception):
    """The same fan chose tickets elsewhere, or an allocation was set, between our reading and our writing."""


def hold_tickets(*, user: User, token: str, wanted: Mapping[str, int]) -> Order:
    """Hold tickets for an admitted fan until the turn ends; all of `wanted` (tier's short name -> number) or none.

    Choosing again makes a new order and ends the hold before. Choosing the same again changes nothing.

    Raises:
        AdmittanceInvalid, AdmittanceExpired: it is not this fan's turn.
        NothingChosen, TierNotFound, TierNotReleased, OrderTooLarge
        OrderLimitReached, TicketLimitReached, EmailNotVerified, IdentityNotVerified
        SoldOut, NotEnoughTickets, NoneLeftInQueue, TooFewLeftInQueue
        PaymentInProgress: the hold before is being paid.
        Nothing is changed in any of these cases: what was held stays held.
    """
    public_id = admittance.read_token(token, user=user)
    wanted = {slug: quantity for slug, quantity in wanted.items() if quantity > 0}
    try:
        return _hold(user, public_id, wanted)
    except (_TurnChangedError, IntegrityError):
        logger.info("Admission %s: something changed at the same instant, choosing anew", public_id)
    try:
        return _hold_behind_gate(user, public_id, wanted)
    except _TurnChangedError:
        # Behind the gate nothing but the end of the turn can have come between.
        raise AdmittanceExpired from None


@transaction.atomic
def _hold(user: User, public_id: uuid.UUID, wanted: Mapping[str, int]) -> Order:
    admission = _admission_for(user, public_id)
    tiers = _choose_tiers(admission, wanted)
    if admission.has_hold:
        return _choose_again(user, admission, wanted)
    return _take(user, admission, tiers, None)


@transaction.atomic
def _hold_behind_gate(user: User, public_id: uuid.UUID, wanted: Mapping[str, int]) -> Order:
    return _choose_again(user, _admission_for(user, public_id), wanted)


def _choose_again(user: User, admission: Any, wanted: Mapping[str, int]) -> Order:
    """Take the gate and read anew, so that several tabs that choose at the same instant choose one after the other."""
    queue_services.open_allowance(user, admission.queue.event)
    admission = _admission_for(user, admission.public_id)
    tiers = _choose_tiers(admission, wanted)
    old = _running_hold(admission)
    if old is not None and old.quantities() == tiers:
        return old
    return _take(user, admission, tiers, old)


def _take(user: User, admission: Any, tiers: dict[Tier, int], old: Order | None) -> Order:
    _check_politely(user, admission, tiers, old)
    if old is not None:
        _end_hold(old, Order.Status.REPLACED)
    tickets = sum(tiers.values())
    _add_to_allowance(user, admission, tickets)
    order = _write_order(admission, tiers)
    queue_services.swap_allocation(admission.queue, given_back=old.ticket_count() if old else 0, taken=tickets)
    event_services.swap_stock(old.quantities() if old else {}, tiers)
    return order


def _admission_for(user: User, public_id: uuid.UUID) -> Any:
    """Read in one statement what holding depends on: the admission, its queue and event, what the fan has already."""
    allowance = Allowance.objects.filter(user=user, event=OuterRef("queue__event"))
    admission = (
        Admission.objects.for_fan(user)
        .select_related("queue__event")
        .annotate(
            now=Now(),
            order_count=Coalesce(Subquery(allowance.values("order_count")), 0),
            ticket_count=Coalesce(Subquery(allowance.values("ticket_count")), 0),
        )
        .filter(public_id=public_id)
        .first()
    )
    if admission is None or admission.status in {Admission.Status.WAITING, Admission.Status.DENIED}:
        raise AdmittanceInvalid
    if not admission.is_within_window(admission.now):
        raise AdmittanceExpired
    return admission


def _choose_tiers(admission: Any, wanted: Mapping[str, int]) -> dict[Tier, int]:
    event = admission.queue.event
    if not wanted:
        raise NothingChosen
    if sum(wanted.values()) > event.max_tickets_per_order:
        raise OrderTooLarge(event.max_tickets_per_order)
    tiers = list(admission.queue.open_tiers().filter(slug__in=wanted).in_order())
    if len(tiers) < len(wanted) or event.is_cancelled:
        raise event_services.TierNotFound
    if not all(tier.is_released(admission.now) for tier in tiers):
        raise TierNotReleased
    return {tier: wanted[tier.slug] for tier in tiers}


def _check_politely(user: User, admission: Any, tiers: Mapping[Tier, int], old: Order | None) -> None:
    """Refuse before anything is locked, in the order of the reference: limits, verification, stock."""
    if old is None:
        tickets = sum(tiers.values())
        queue_services.check_allowance(
            admission.order_count, admission.ticket_count, tickets=tickets, queue=admission.queue
        )
    if not user.is_email_verified:
        raise EmailNotVerified
    if admission.queue.event.require_identification and not user.is_identity_verified:
        raise IdentityNotVerified
    if old is None:
        for tier, quantity in tiers.items():
            event_services.check_stock(tier, quantity)
        queue_services.check_allocation(admission.queue, sum(tiers.values()))


def _running_hold(admission: Admission) -> Order | None:
    """Lock the hold of an admission; the gate has been taken.

    Raises:
        PaymentInProgress
    """
    order = Order.objects.held().with_lines().lock().filter(admission=admission).first()
    if order is not None and order.has_payment_in_progress():
        raise PaymentInProgress
    return order


def _add_to_allowance(user: User, admission: Admission, tickets: int) -> None:
    try:
        queue_services.add_to_allowance(user, admission.queue, tickets=tickets)
    except (OrderLimitReached, TicketLimitReached):
        # Our own other tab may be what used the limit up: then this is choosing again, not one order too many.
        if Admission.objects.filter(pk=admission.pk).exclude(order_code=admission.order_code).exists():
            raise _TurnChangedError from None
        raise


def _write_order(admission: Any, tiers: Mapping[Tier, int]) -> Order:
    event = admission.queue.event
    lines = [_line(event, tier, quantity) for tier, quantity in tiers.items()]
    subtotal = sum((line.price for line in lines), Decimal(0))
    total = sum((line.price_with_fee for line in lines), Decimal(0))
    order = Order(
        event=event,
        queue=admission.queue,
        admission=admission,
        buyer_id=admission.user_id,
        currency=event.currency,
        subtotal=subtotal,
        service_fee=total - subtotal,
        total=total,
        hold_ends_at=admission.window_ends_at,
    )
    # The window, too, as it was read: it may just have been extended for all, and the hold must end with it.
    turn = Admission.objects.within_window().filter(
        pk=admission.pk, order_code=admission.order_code, window_ends_at=admission.window_ends_at
    )
    if admission.queue.allocation is None:
        # One may have been set before we passed the gate; then these tickets have to be counted.
        turn = turn.filter(Exists(Queue.objects.without_allocation().filter(pk=admission.queue_id)))
    if not turn.update(has_hold=True, order_code=order.code, claimed_at=Coalesce("claimed_at", Now())):
        raise _TurnChangedError
    order.save(force_insert=True)
    for line in lines:
        line.order = order
    Line.objects.bulk_create(lines)
    return order


def _line(event: Event, tier: Tier, quantity: int) -> Line:
    price = money.rounded(tier.price, currency=event.currency)
    fee = money.fee(tier.price, percent=event.service_fee_percent, currency=event.currency)
    return Line(tier=tier, quantity=quantity, unit_price=price, unit_fee=fee)


@transaction.atomic
def release_order(order: Order) -> None:
    """Give a hold back; the turn goes on.

    Raises:
        PaymentInProgress
        HoldLapsed, OrderNotHeld: it is not held any more.
    """
    order = _take_hold(order)
    _end_hold(order, Order.Status.CANCELLED)
    Admission.objects.filter(pk=order.admission_id).update(has_hold=False, order_code="")
    _release(order)


def leave_line(admission: Admission) -> None:
    """Give up the place in line, or the turn with what is held.

    Raises:
        NotInLine: the admission has ended already.
        PaymentInProgress
    """
    try:
        queue_services.leave_queue(admission)
    except NotInLine:
        _leave_with_hold(admission)


@transaction.atomic
def _leave_with_hold(admission: Admission) -> None:
    order = Order.objects.held().filter(admission=admission).first()
    if order is None:
        raise NotInLine
    order = _take_hold(order)
    _end_hold(order, Order.Status.CANCELLED)
    queue_services.end_admission(order.admission, Admission.Status.LEFT)
    _release(order)


def expire_next_order(*, excluding: Collection[int] = ()) -> int | None:
    """End the hold that lapsed longest ago, with its turn; returns its pk, or None if there is none.

    One that cannot be ended is logged; its pk, given back in `excluding`, keeps it from stopping the others.
    """
    holds = Order.objects.lapsed().exclude(pk__in=excluding).select_related("buyer", "event")
    lapsed = holds.order_by("hold_ends_at", "pk").first()
    if lapsed is None:
        return None
    try:
        expire_order(lapsed)
    except Exception:
        logger.exception("Order %s could not be ended", lapsed.code)
    return lapsed.pk


@transaction.atomic
def expire_order(order: Order) -> None:
    """End a lapsed hold and its admission; one that is not lapsed, or no longer, is left alone."""
    queue_services.open_allowance(order.buyer, order.event)
    lapsed = Order.objects.lapsed().select_related("queue").with_lines().lock().filter(pk=order.pk).first()
    if lapsed is None:
        return
    _end_hold(lapsed, Order.Status.LAPSED)
    turn = queue_services.lock_turn(lapsed.admission_id, ending=Admission.Status.EXPIRED)
    queue_services.end_admission(turn, Admission.Status.EXPIRED)
    _release(lapsed)


def _take_hold(order: Order) -> Order:
    """Lock the gate, the order and the admission of a hold that its buyer wants to end.

    Raises:
        PaymentInProgress
        HoldLapsed, OrderNotHeld: it is not held any more.
    """
    queue_services.open_allowance(order.buyer, order.event)
    held = Order.objects.held().select_related("queue").with_lines().lock().filter(pk=order.pk).first()
    if held is None:
        is_lapsed = Order.objects.filter(pk=order.pk, status=Order.Status.LAPSED).exists()
        raise HoldLapsed if is_lapsed else OrderNotHeld
    if held.has_payment_in_progress():
        raise PaymentInProgress
    held.admission = Admission.objects.lock().get(pk=held.admission_id)
    return held


def _end_hold(order: Order, status: Order.Status) -> None:
    """Write that a hold has ended and no longer counts for the fan; its stock is the caller's last statement."""
    order.move_to(status)
    Order.objects.filter(pk=order.pk).update(status=status, ended_at=Now())
    queue_services.take_from_allowance(order.buyer, order.event, tickets=order.ticket_count())


def _release(order: Order) -> None:
    """Give the tickets of a hold back: the last statements of the caller."""
    queue_services.release_allocation(order.queue, order.ticket_count())
    event_services.release_stock(order.quantities())
