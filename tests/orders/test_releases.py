"""Letting go of what is held: given back, left, lapsed."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db.models import F
from django.utils import timezone

from accounts.models import User
from accounts.refusals import Refusal
from events.models import Tier
from orders import refusals, services, tasks
from orders.models import Order, Payment
from queues import admittance
from queues import services as queue_services
from queues.models import Admission, Queue
from queues.refusals import NotInLine
from tests.bookkeeping import assert_counters_equal_rows
from tests.factories import AdmissionFactory
from tests.orders.conftest import traces

pytestmark = pytest.mark.django_db

SECOND = timedelta(seconds=1)


def end_hold(order: Order, ends_at: timedelta = timedelta(0)) -> None:
    """Move the deadline of a hold, and that of its turn, to `ends_at` from now."""
    deadline = timezone.now() + ends_at
    Order.objects.filter(pk=order.pk).update(hold_ends_at=deadline)
    Admission.objects.filter(pk=order.admission_id).update(window_ends_at=deadline)


def hold(queue: Queue, **wanted: int) -> Order:
    """Hold tickets for somebody new."""
    turn = AdmissionFactory(queue=queue, admitted=True)
    return services.hold_tickets(user=turn.user, token=admittance.token_for(turn), wanted=wanted)


def statuses(order: Order) -> tuple[str, str]:
    """Return how order and admission stand."""
    return Order.objects.values_list("status", "admission__status").get(pk=order.pk)


def test_given_back_tickets_are_free_and_the_turn_goes_on(order: Order, admission: Admission, token: str, ben: User):
    services.release_order(order)

    admission.refresh_from_db()
    assert statuses(order) == ("cancelled", "admitted")
    assert (admission.has_hold, admission.order_code) == (False, "")
    assert_counters_equal_rows(order.event)
    assert services.hold_tickets(user=ben, token=token, wanted={"vip": 1}).is_held
    assert_counters_equal_rows(order.event)


def test_giving_back_twice_is_refused(order: Order):
    services.release_order(order)
    before = traces()

    with pytest.raises(refusals.OrderNotHeld):
        services.release_order(order)

    assert traces() == before


def test_leaving_gives_the_hold_back_and_ends_the_turn(order: Order, admission: Admission):
    services.leave_line(admission)

    admission.refresh_from_db()
    assert statuses(order) == ("cancelled", "left")
    assert (admission.has_hold, admission.ended_at is None) == (False, False)
    assert_counters_equal_rows(order.event)


def test_leaving_without_a_hold_gives_up_the_place(queue: Queue, ben: User):
    waiting = AdmissionFactory(queue=queue, user=ben)

    services.leave_line(waiting)

    assert Admission.objects.get().status == "left"


def test_leaving_twice_is_refused(order: Order, admission: Admission):
    services.leave_line(admission)
    before = traces()

    with pytest.raises(NotInLine):
        services.leave_line(admission)

    assert traces() == before


def test_nothing_is_given_up_while_a_payment_is_open(payment: Payment, admission: Admission, token: str, ben: User):
    before = traces()

    for act in (
        lambda: services.release_order(payment.order),
        lambda: services.leave_line(admission),
        lambda: services.hold_tickets(user=ben, token=token, wanted={"vip": 1}),
    ):
        with pytest.raises(refusals.PaymentInProgress) as refused:
            act()
        assert str(refused.value) == "A payment for this order is in progress. Finish it or cancel it first."

    assert traces() == before


@pytest.mark.parametrize("act", [services.release_order, lambda order: services.leave_line(order.admission)])
def test_everything_goes_again_once_the_payment_is_cancelled(payment: Payment, act: Callable[[Order], None]):
    services.cancel_payment(payment.order)

    act(payment.order)

    assert Payment.objects.values_list("status", "order__status").get() == ("cancelled", "cancelled")
    assert_counters_equal_rows(payment.order.event)


def test_one_chooses_again_once_the_payment_is_cancelled(payment: Payment, token: str, ben: User):
    services.cancel_payment(payment.order)

    new = services.hold_tickets(user=ben, token=token, wanted={"vip": 1})

    assert (statuses(payment.order), statuses(new)) == (("replaced", "admitted"), ("held", "admitted"))
    assert_counters_equal_rows(payment.order.event)


@pytest.mark.parametrize(
    ("ends_at", "expected"),
    [(-SECOND, ("lapsed", "expired")), (0 * SECOND, ("lapsed", "expired")), (10 * SECOND, ("held", "admitted"))],
)
def test_hold_lapses_when_its_time_is_over(order: Order, ends_at: timedelta, expected: tuple[str, str]):
    end_hold(order, ends_at)

    tasks.expire_lapsed_orders()

    assert statuses(order) == expected
    assert_counters_equal_rows(order.event)


def test_lapsed_hold_frees_tickets_turn_and_limit_together(order: Order, ben: User, queue: Queue, floor: Tier):
    end_hold(order)

    assert services.expire_next_order() == order.pk

    floor.refresh_from_db()
    assert (floor.reserved_count, floor.available) == (0, 100)
    assert queue_services.join_queue(queue, ben)[1] is True
    assert_counters_equal_rows(order.event)


def test_sweep_takes_every_lapsed_hold_longest_ago_first(queue: Queue, order: Order):
    orders = [order, hold(queue, vip=1), hold(queue, floor=1), hold(queue, floor=4)]
    for number, each in enumerate(orders[:3]):
        end_hold(each, -SECOND * (number + 1))

    found = [services.expire_next_order() for _ in range(4)]

    assert found == [orders[2].pk, orders[1].pk, orders[0].pk, None]
    assert [statuses(each)[0] for each in orders] == ["lapsed", "lapsed", "lapsed", "held"]
    assert_counters_equal_rows(queue.event)


def test_one_broken_hold_does_not_stop_the_others(queue: Queue, order: Order, floor: Tier, caplog):
    broken, good = order, hold(queue, vip=2)
    end_hold(broken, -2 * SECOND)
    end_hold(good, -SECOND)
    Tier.objects.filter(pk=floor.pk).update(reserved_count=0)

    tasks.expire_lapsed_orders()

    assert (statuses(broken), statuses(good)) == (("held", "admitted"), ("lapsed", "expired"))
    assert f"Order {broken.code} could not be ended" in caplog.text
    Tier.objects.filter(pk=floor.pk).update(reserved_count=2)
    tasks.expire_lapsed_orders()
    assert statuses(broken) == ("lapsed", "expired")
    assert_counters_equal_rows(queue.event)


def test_hold_whose_money_has_arrived_does_not_lapse(payment: Payment):
    Payment.objects.update(status="confirmed", captured_amount=F("total"))
    end_hold(payment.order)

    tasks.expire_lapsed_orders()

    assert statuses(payment.order) == ("held", "admitted")


def test_hold_with_an_open_payment_lapses_all_the_same(payment: Payment):
    end_hold(payment.order)

    tasks.expire_lapsed_orders()

    assert statuses(payment.order) == ("lapsed", "expired")
    assert_counters_equal_rows(payment.order.event)


def test_expiry_of_a_hold_that_does_not_lapse_changes_nothing(order: Order):
    before = traces()

    services.expire_order(order)

    assert traces() == before


def test_tick_leaves_a_turn_with_a_hold_to_the_sweep(order: Order, queue: Queue):
    end_hold(order)

    queue_services.tick_queue(queue.pk)
    after_the_tick = statuses(order)
    tasks.expire_lapsed_orders()

    assert (after_the_tick, statuses(order)) == (("held", "admitted"), ("lapsed", "expired"))


@pytest.mark.parametrize("status", ["lapsed", "cancelled", "replaced", "paid", "refunded"])
def test_what_is_not_held_cannot_be_given_back(order: Order, status: str):
    Order.objects.update(status=status, paid_at=timezone.now())
    before = traces()

    with pytest.raises(Refusal) as refused:
        services.release_order(order)

    told = refusals.HoldLapsed if status == "lapsed" else refusals.OrderNotHeld
    assert (type(refused.value), traces()) == (told, before)
