"""Holding tickets."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from accounts.models import User
from accounts.refusals import Refusal
from events.models import Event, Tier
from events.services import NotEnoughTickets, SoldOut, TierNotFound
from orders import refusals, services
from orders.models import Line, Order
from orders.services import holds
from queues import admittance
from queues.models import Admission, Allowance, Queue
from queues.refusals import (
    AdmittanceExpired,
    AdmittanceInvalid,
    EmailNotVerified,
    IdentityNotVerified,
    OrderLimitReached,
    TicketLimitReached,
)
from tests.bookkeeping import assert_counters_equal_rows
from tests.factories import AdmissionFactory, AllowanceFactory, QueueFactory, TierFactory, UserFactory
from tests.orders.conftest import traces
from tests.statements import counted_statements

pytestmark = pytest.mark.django_db

SECOND = timedelta(seconds=1)


def change(row: Queue | Event | Tier | Admission | User | Order, **fields: object) -> None:
    type(row)._default_manager.filter(pk=row.pk).update(**fields)


def refused(user: User, token: str, **wanted: int) -> Refusal:
    """Try to hold; return the refusal, having seen that it left no trace."""
    before = traces()
    with pytest.raises(Refusal) as refusal:
        services.hold_tickets(user=user, token=token, wanted=wanted)
    assert traces() == before
    return refusal.value


def test_hold_reserves_tickets_until_the_turn_ends(admission: Admission, token: str, ben: User, queue: Queue):
    order = services.hold_tickets(user=ben, token=token, wanted={"floor": 2, "vip": 1})

    kept = Order.objects.get()
    assert (kept.status, kept.buyer, kept.queue, kept.event) == ("held", ben, queue, queue.event)
    assert (kept.hold_ends_at, kept.code) == (admission.window_ends_at, order.code)
    assert (kept.subtotal, kept.service_fee, kept.total, kept.currency) == (
        Decimal("799.99"),
        Decimal("80.00"),
        Decimal("879.99"),
        "USD",
    )
    assert list(
        Line.objects.order_by("tier__slug").values_list("tier__slug", "quantity", "unit_price", "unit_fee")
    ) == [
        ("floor", 2, Decimal("150.00"), Decimal("15.00")),
        ("vip", 1, Decimal("499.99"), Decimal("50.00")),
    ]
    assert_counters_equal_rows(queue.event)


def test_hold_is_noted_on_the_admission(order: Order, admission: Admission):
    admission.refresh_from_db()

    assert (admission.has_hold, admission.order_code, admission.status) == (True, order.code, "admitted")
    assert admission.claimed_at is not None


def test_total_is_the_price_with_fee_times_the_number(admission: Admission, token: str, ben: User, floor: Tier):
    change(floor, price=Decimal("0.05"))

    order = services.hold_tickets(user=ben, token=token, wanted={"floor": 3})

    assert order.total == 3 * order.event.price_with_fee(Decimal("0.05")) == Decimal("0.18")


@pytest.mark.parametrize(
    ("wanted", "refusal", "sentence"),
    [
        ({}, refusals.NothingChosen, "Please choose at least one ticket."),
        ({"floor": 0, "vip": 0}, refusals.NothingChosen, "Please choose at least one ticket."),
        ({"floor": -1}, refusals.NothingChosen, "Please choose at least one ticket."),
        ({"floor": 5}, refusals.OrderTooLarge, "Maximum 4 tickets per order."),
        ({"floor": 3, "vip": 2}, refusals.OrderTooLarge, "Maximum 4 tickets per order."),
        ({"balcony": 1}, TierNotFound, "This ticket is not part of the sale."),
        ({"floor": 1, "balcony": 1}, TierNotFound, "This ticket is not part of the sale."),
    ],
)
def test_choice_that_cannot_be_is_refused(
    token: str, ben: User, wanted: dict[str, int], refusal: type[Refusal], sentence: str
):
    found = refused(ben, token, **wanted)

    assert (type(found), str(found)) == (refusal, sentence)


def test_order_that_is_too_large_says_how_large_it_may_be(token: str, ben: User, event: Event):
    change(event, max_tickets_per_order=1)

    found = refused(ben, token, floor=2)

    assert (str(found), found.facts) == ("Maximum 1 ticket per order.", {"maximum": 1})


def test_tier_of_another_event_or_queue_is_not_part_of_the_sale(token: str, ben: User, queue: Queue, vip: Tier):
    TierFactory(slug="elsewhere")
    queue.tiers.add(vip)

    assert [type(refused(ben, token, elsewhere=1)), type(refused(ben, token, floor=1))] == [TierNotFound] * 2


def test_tier_is_sold_from_its_release_on(token: str, ben: User, vip: Tier):
    change(vip, release_at=timezone.now() + timedelta(minutes=1))
    found = refused(ben, token, floor=1, vip=1)

    change(vip, release_at=timezone.now())
    services.hold_tickets(user=ben, token=token, wanted={"vip": 1})

    assert (type(found), str(found)) == (refusals.TierNotReleased, "These tickets are not on sale yet.")


def test_cancelled_event_sells_nothing(token: str, ben: User, event: Event):
    change(event, status=Event.Status.CANCELLED)

    assert type(refused(ben, token, floor=1)) is TierNotFound


def test_orders_per_customer_are_limited(token: str, ben: User, event: Event):
    AllowanceFactory(user=ben, event=event, order_count=1, order_limit=1, ticket_count=1, ticket_limit=4)

    found = refused(ben, token, floor=1)

    assert type(found) is OrderLimitReached
    assert str(found).startswith("Maximum orders per customer exceeded")


def test_tickets_per_customer_are_limited_over_all_orders(token: str, ben: User, event: Event):
    change(event, max_orders_per_customer=2)
    AllowanceFactory(user=ben, event=event, order_count=1, order_limit=3, ticket_count=6, ticket_limit=12)

    found = refused(ben, token, floor=3)
    services.hold_tickets(user=ben, token=token, wanted={"floor": 2})

    assert type(found) is TicketLimitReached
    assert str(found).startswith("Maximum tickets per customer exceeded")


def test_queue_may_allow_fewer_orders_than_the_event(token: str, ben: User, event: Event, queue: Queue):
    change(event, max_orders_per_customer=3)
    change(queue, max_purchases_per_customer=1)
    AllowanceFactory(user=ben, event=event, order_count=1, order_limit=3, ticket_count=1, ticket_limit=12)

    assert type(refused(ben, token, floor=1)) is OrderLimitReached


def test_hold_needs_a_verified_address(token: str, ben: User):
    change(ben, email_verified_at=None)
    ben.refresh_from_db()

    found = refused(ben, token, floor=1)

    assert type(found) is EmailNotVerified
    assert str(found).startswith("Email verification required")


def test_hold_needs_a_verified_identity_where_the_event_asks_for_it(token: str, ben: User, event: Event):
    change(event, require_identification=True)

    found = refused(ben, token, floor=1)

    assert type(found) is IdentityNotVerified
    assert str(found).startswith("Identity verification required")
    ben.identity_verified_at = timezone.now()
    assert services.hold_tickets(user=ben, token=token, wanted={"floor": 1}).status == Order.Status.HELD


def test_choosing_again_needs_a_verified_identity_too(order: Order, token: str, ben: User, event: Event):
    change(event, require_identification=True)

    assert type(refused(ben, token, floor=1)) is IdentityNotVerified


def test_sold_out_tier_says_so(token: str, ben: User, vip: Tier):
    change(vip, sold_count=5)

    found = refused(ben, token, vip=1)

    assert (type(found), str(found)) == (SoldOut, "Sold out: no tickets are left of VIP.")


def test_tier_with_too_few_says_how_many_are_left(token: str, ben: User, vip: Tier):
    change(vip, reserved_count=3)

    found = refused(ben, token, floor=1, vip=3)

    assert (type(found), found.facts) == (NotEnoughTickets, {"available": 2, "tier": "vip"})


def test_refusals_come_in_the_order_of_the_reference(queue: Queue, event: Event, floor: Tier):
    """Tickets in this order, orders, tickets over all orders, address, identity, stock."""
    change(event, max_orders_per_customer=2, require_identification=True)
    change(floor, sold_count=100)
    fan = UserFactory()
    turn = AdmissionFactory(queue=queue, user=fan, admitted=True)
    allowance = AllowanceFactory(user=fan, event=event, order_count=2, order_limit=2, ticket_count=6, ticket_limit=8)
    token = admittance.token_for(turn)

    found = [type(refused(fan, token, floor=5)), type(refused(fan, token, floor=4))]
    Allowance.objects.filter(pk=allowance.pk).update(order_count=1)
    found.append(type(refused(fan, token, floor=4)))
    found.append(type(refused(fan, token, floor=1)))
    for proof in ("email_verified_at", "identity_verified_at"):
        change(fan, **{proof: timezone.now()})
        fan.refresh_from_db()
        found.append(type(refused(fan, token, floor=1)))

    limits = [refusals.OrderTooLarge, OrderLimitReached, TicketLimitReached]
    assert found == [*limits, EmailNotVerified, IdentityNotVerified, SoldOut]


def test_two_tiers_are_held_together_or_not_at_all(token: str, ben: User, vip: Tier, monkeypatch):
    """Even where the polite question saw tickets that are gone a moment later."""
    monkeypatch.setattr("events.services.check_stock", lambda tier, quantity: None)
    change(vip, sold_count=5)

    assert type(refused(ben, token, floor=2, vip=1)) is NotEnoughTickets


@pytest.mark.parametrize(("left", "opens"), [(-SECOND, False), (timedelta(0), False), (10 * SECOND, True)])
def test_turn_opens_until_its_window_ends(admission: Admission, token: str, ben: User, left: timedelta, opens: bool):
    change(admission, window_ends_at=timezone.now() + left)

    if opens:
        assert services.hold_tickets(user=ben, token=token, wanted={"floor": 1}).is_held
    else:
        found = refused(ben, token, floor=1)
        assert (type(found), str(found)) == (AdmittanceExpired, "Your time to buy is over.")


def test_turn_that_ends_between_reading_and_writing_holds_nothing(token: str, ben: User, monkeypatch):
    add = holds._add_to_allowance

    def end_the_turn_first(user: User, admission: Admission, tickets: int) -> None:
        change(admission, window_ends_at=timezone.now())
        add(user, admission, tickets)

    monkeypatch.setattr(holds, "_add_to_allowance", end_the_turn_first)

    assert type(refused(ben, token, floor=1)) is AdmittanceExpired


@pytest.mark.parametrize(
    ("status", "refusal"),
    [
        ("waiting", AdmittanceInvalid),
        ("denied", AdmittanceInvalid),
        ("expired", AdmittanceExpired),
        ("completed", AdmittanceExpired),
        ("left", AdmittanceExpired),
    ],
)
def test_token_opens_nothing_when_it_is_not_the_fans_turn(
    admission: Admission, token: str, ben: User, status: str, refusal: type[Refusal]
):
    change(admission, status=status)

    assert type(refused(ben, token, floor=1)) is refusal


def test_token_that_names_another_fan_s_turn_opens_nothing(admission: Admission, cleo: User):
    """Even one that is signed for the fan who shows it."""
    forged = admittance.token_for(Admission(user=cleo, public_id=admission.public_id))

    assert type(refused(cleo, forged, floor=1)) is AdmittanceInvalid


def test_token_of_another_fan_opens_nothing(token: str, cleo: User):
    assert type(refused(cleo, token, floor=1)) is AdmittanceInvalid


def test_forged_token_opens_nothing(token: str, ben: User):
    assert type(refused(ben, token[:-2], floor=1)) is AdmittanceInvalid


def test_token_opens_its_own_queue_only(token: str, ben: User, queue: Queue, vip: Tier, floor: Tier):
    presale = QueueFactory(event=queue.event)
    presale.tiers.add(vip)
    queue.tiers.add(floor)
    AdmissionFactory(queue=presale, user=ben, admitted=True)

    assert type(refused(ben, token, vip=1)) is TierNotFound


def test_old_token_opens_nothing_after_coming_back(admission: Admission, token: str, ben: User, queue: Queue):
    change(admission, status="expired")
    AdmissionFactory(queue=queue, user=ben, admitted=True)

    assert type(refused(ben, token, floor=1)) is AdmittanceExpired


def test_choosing_again_makes_a_new_order_and_ends_the_old_hold(
    order: Order, token: str, ben: User, admission: Admission
):
    new = services.hold_tickets(user=ben, token=token, wanted={"floor": 1, "vip": 3})

    order.refresh_from_db()
    admission.refresh_from_db()
    assert (new.code != order.code, order.status, order.ended_at is None) == (True, "replaced", False)
    assert (admission.order_code, admission.has_hold) == (new.code, True)
    assert (new.hold_ends_at, new.ticket_count()) == (admission.window_ends_at, 4)
    assert_counters_equal_rows(order.event)


def test_choosing_the_same_again_gives_the_same_order(order: Order, token: str, ben: User):
    before = traces()

    again = services.hold_tickets(user=ben, token=token, wanted={"floor": 2, "vip": 0})

    assert (again, traces()) == (order, before)


def test_choosing_more_than_there_is_keeps_the_old_hold(order: Order, token: str, ben: User, vip: Tier):
    change(vip, sold_count=3)

    found = refused(ben, token, vip=3)

    assert (type(found), found.facts) == (NotEnoughTickets, {"available": 2, "tier": "vip"})
    assert Order.objects.get().is_held


def test_what_one_holds_already_counts_as_free_when_choosing_again(order: Order, token: str, ben: User, floor: Tier):
    change(floor, quantity=3)

    new = services.hold_tickets(user=ben, token=token, wanted={"floor": 3})

    assert new.ticket_count() == 3
    assert_counters_equal_rows(order.event)


def test_choosing_too_many_again_keeps_the_old_hold(order: Order, token: str, ben: User):
    assert type(refused(ben, token, floor=5)) is refusals.OrderTooLarge


@pytest.mark.parametrize("others", [1, 3])
def test_hold_takes_seven_statements(queue: Queue, token: str, ben: User, others: int):
    change(queue.event, require_identification=True)
    ben.identity_verified_at = timezone.now()
    AdmissionFactory.create_batch(others, queue=queue)

    with counted_statements() as sent:
        services.hold_tickets(user=ben, token=token, wanted={"floor": 2})

    assert len(sent) == 7


def test_refusal_of_a_sold_out_tier_takes_two_statements(token: str, ben: User, vip: Tier):
    change(vip, sold_count=5)

    with counted_statements() as sent, pytest.raises(SoldOut):
        services.hold_tickets(user=ben, token=token, wanted={"vip": 2})

    assert len(sent) == 2
