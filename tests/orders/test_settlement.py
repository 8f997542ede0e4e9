"""Money that has arrived: into tickets, or back."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone
from payments import PaymentError

from accounts.models import Letter, User
from events.models import Event, Tier
from orders import services, tasks
from orders.models import Order, Payment, Ticket
from orders.providers import PlayMoneyProvider
from queues import admittance
from queues import services as queue_services
from queues.models import Admission, Queue
from tests.bookkeeping import assert_counters_equal_rows
from tests.factories import AdmissionFactory, PaymentFactory
from tests.orders.conftest import traces

pytestmark = pytest.mark.django_db

Facts = tuple[str, bool, str]
AT_ONCE = Decimal(1000)


def confirm(payment: Payment) -> Payment:
    """Let the money of a payment arrive, as a provider's call-back does."""
    Payment.objects.filter(pk=payment.pk).update(status="confirmed", captured_amount=payment.total)
    payment.refresh_from_db()
    return payment


def lapse(order: Order) -> None:
    Order.objects.filter(pk=order.pk).update(hold_ends_at=timezone.now())
    services.expire_order(order)
    order.refresh_from_db()
    assert order.status == "lapsed"


def buy(queue: Queue, **wanted: int) -> Order:
    """Let somebody new buy tickets."""
    turn = AdmissionFactory(queue=queue, admitted=True)
    order = services.hold_tickets(user=turn.user, token=admittance.token_for(turn), wanted=wanted)
    names = ["Somebody"] * sum(wanted.values())
    services.settle_payment(confirm(services.start_payment(order, holders=names, email="")))
    order.refresh_from_db()
    return order


def fate(payment: Payment) -> Facts:
    """Return how a payment stands: its status, whether it is settled, and why it goes back."""
    payment.refresh_from_db()
    assert (payment.refund_due_at is None) == (payment.refund_reason == "")
    return payment.status, payment.settled_at is not None, payment.refund_reason


def letters() -> list[tuple[str, str]]:
    return list(Letter.objects.order_by("pk").values_list("to", "kind"))


def test_settled_order_is_paid_and_its_tickets_are_issued(payment: Payment, ben: User, floor: Tier):
    services.settle_payment(confirm(payment))

    order = Order.objects.get()
    tickets = Ticket.objects.order_by("pk")
    assert (order.status, order.ended_at, order.paid_at is None) == ("paid", None, False)
    assert [(t.holder_name, t.owner, t.tier, t.event, t.status) for t in tickets] == [
        (name, ben, floor, order.event, "valid") for name in ("Ben", "Bea")
    ]
    assert (fate(payment), letters()) == (("confirmed", True, ""), [("ben@example.org", "receipt")])
    assert_counters_equal_rows(order.event)


def test_payment_completes_the_turn_and_frees_its_slot(payment: Payment, queue: Queue):
    services.settle_payment(confirm(payment))

    admission = Admission.objects.get()
    assert (admission.status, admission.has_hold, admission.order_code) == ("completed", False, payment.order.code)
    assert admission.ended_at is not None
    assert queue_services.publish_board(queue.pk).admitted == 0


def test_names_go_to_the_tickets_in_the_order_of_the_lines(token: str, ben: User, event: Event):
    order = services.hold_tickets(user=ben, token=token, wanted={"floor": 2, "vip": 1})
    services.settle_payment(confirm(services.start_payment(order, holders=["V", "F1", "F2"], email="")))

    tickets = Ticket.objects.order_by("pk").values_list("tier__slug", "holder_name")
    assert list(tickets) == [("vip", "V"), ("floor", "F1"), ("floor", "F2")]
    assert letters() == [("ben@example.org", "receipt")]
    assert_counters_equal_rows(event)


def test_settling_twice_changes_nothing(payment: Payment):
    services.settle_payment(confirm(payment))
    before = traces()

    services.settle_payment(payment)
    services.settle_order(payment.order)
    tasks.settle_confirmed_payments()

    assert traces() == before


@pytest.mark.parametrize("status", ["waiting", "input", "rejected", "error", "cancelled", "refunded", "preauth"])
def test_payment_that_is_not_confirmed_settles_nothing(payment: Payment, status: str):
    Payment.objects.update(status=status)
    before = traces()

    services.settle_payment(payment)
    tasks.settle_confirmed_payments()

    assert traces() == before


def test_sweep_settles_what_nobody_came_back_for(payment: Payment):
    confirm(payment)

    tasks.settle_confirmed_payments()

    assert Order.objects.get().is_paid
    assert_counters_equal_rows(payment.order.event)


def test_one_payment_that_cannot_be_settled_does_not_stop_the_others(
    payment: Payment, queue: Queue, caplog, floor: Tier
):
    turn = AdmissionFactory(queue=queue, admitted=True)
    other = services.hold_tickets(user=turn.user, token=admittance.token_for(turn), wanted={"vip": 1})
    confirm(payment)
    confirm(services.start_payment(other, holders=["Somebody"], email=""))
    Tier.objects.filter(pk=floor.pk).update(reserved_count=0)

    tasks.settle_confirmed_payments()

    assert dict(Order.objects.values_list("pk", "status")) == {payment.order_id: "held", other.pk: "paid"}
    assert f"Payment {payment.pk} could not be settled" in caplog.text
    Tier.objects.filter(pk=floor.pk).update(reserved_count=2)
    tasks.settle_confirmed_payments()
    assert_counters_equal_rows(queue.event)


def test_money_that_comes_late_takes_tickets_that_are_left(payment: Payment):
    lapse(payment.order)

    services.settle_payment(confirm(payment))

    order = Order.objects.get()
    assert (order.status, order.ended_at, order.paid_at is None) == ("paid", None, False)
    assert (Ticket.objects.count(), fate(payment)) == (2, ("confirmed", True, ""))
    assert Admission.objects.get().status == "completed"
    assert_counters_equal_rows(order.event)


def test_money_that_comes_late_does_not_end_another_turn(payment: Payment, queue: Queue, ben: User):
    lapse(payment.order)
    again, _ = queue_services.join_queue(queue, ben)

    services.settle_payment(confirm(payment))

    again.refresh_from_db()
    assert (again.status, Order.objects.get().status) == ("waiting", "paid")
    assert_counters_equal_rows(queue.event)


@pytest.mark.parametrize(("left", "reason"), [(0, "SoldOut"), (1, "NotEnoughTickets")])
def test_money_that_comes_late_goes_back_when_the_tickets_are_gone(
    payment: Payment, floor: Tier, left: int, reason: str
):
    lapse(payment.order)
    Tier.objects.filter(pk=floor.pk).update(quantity=left)

    services.settle_payment(confirm(payment))

    assert (fate(payment), Order.objects.get().status) == (("confirmed", True, reason), "lapsed")
    assert (Ticket.objects.count(), Letter.objects.count()) == (0, 1)
    assert_counters_equal_rows(payment.order.event)


def test_money_that_comes_late_goes_back_when_the_limit_is_used_up(
    payment: Payment, queue: Queue, ben: User, floor: Tier
):
    lapse(payment.order)
    turn = AdmissionFactory(queue=queue, user=ben, admitted=True)
    second = services.hold_tickets(user=ben, token=admittance.token_for(turn), wanted={"floor": 1})

    services.settle_payment(confirm(payment))

    second.refresh_from_db()
    assert fate(payment) == ("confirmed", True, "OrderLimitReached")
    assert (second.status, Ticket.objects.count()) == ("held", 0)
    assert_counters_equal_rows(queue.event)


def test_money_that_comes_late_goes_back_when_the_event_is_cancelled(payment: Payment, event: Event):
    lapse(payment.order)
    Event.objects.update(status=Event.Status.CANCELLED)

    services.settle_payment(confirm(payment))

    assert (fate(payment), Ticket.objects.count()) == (("confirmed", True, "OrderNotPayable"), 0)
    assert_counters_equal_rows(event)


@pytest.mark.parametrize("fields", [{"total": Decimal("329.99")}, {"total": Decimal("330.01")}, {"currency": "EUR"}])
def test_money_of_another_amount_or_currency_goes_back(payment: Payment, fields: dict):
    confirm(payment)
    Payment.objects.update(**fields)

    services.settle_payment(Payment.objects.get())

    assert (fate(payment), Order.objects.get().status) == (("confirmed", True, "wrong_amount"), "held")
    assert Ticket.objects.count() == 0
    assert_counters_equal_rows(payment.order.event)


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[Decimal]:
    """What a provider has sent back, who sends so much at once and no more."""
    amounts: list[Decimal] = []

    def refund(self: PlayMoneyProvider, payment: Payment, amount: Decimal) -> Decimal:
        amounts.append(min(amount, AT_ONCE))
        return amounts[-1]

    monkeypatch.setattr(PlayMoneyProvider, "refund", refund)
    return amounts


@pytest.mark.parametrize("arrived", ["329.99", "330.01"])
def test_order_of_which_another_amount_has_arrived_gets_no_tickets_and_all_of_it_goes_back(
    payment: Payment, sent: list[Decimal], arrived: str
):
    confirm(payment)
    Payment.objects.update(captured_amount=Decimal(arrived))

    services.settle_payment(payment)
    tasks.refund_unplaced_payments()

    assert (fate(payment), Order.objects.get().status) == (("refunded", True, "wrong_amount"), "held")
    assert (sent, Ticket.objects.count()) == ([Decimal(arrived)], 0)
    letter = Letter.objects.get()
    assert [f"${arrived}" in part for part in (letter.subject, letter.text, letter.html)] == [True] * 3
    assert "it is not what the order costs" in letter.text
    assert_counters_equal_rows(payment.order.event)


def test_payment_of_which_nothing_has_arrived_is_neither_tickets_nor_a_refund(payment: Payment, caplog):
    Payment.objects.update(status="confirmed")

    tasks.settle_confirmed_payments()
    tasks.refund_unplaced_payments()

    assert (fate(payment), Order.objects.get().status) == (("confirmed", True, ""), "held")
    assert (Ticket.objects.count(), Letter.objects.count()) == (0, 0)
    assert f"Payment {payment.pk} is confirmed, and nothing of it has arrived" in caplog.text


def test_refund_of_which_a_part_was_sent_sends_the_rest(payment: Payment, sent: list[Decimal]):
    Payment.objects.update(refund_due_at=timezone.now(), settled_at=timezone.now(), refund_reason="SoldOut")
    Payment.objects.update(status="confirmed", captured_amount=AT_ONCE + 30)

    services.refund_next_payment()
    Payment.objects.update(refund_leased_until=timezone.now())
    services.refund_next_payment()

    assert (sent, fate(payment)[0]) == ([AT_ONCE, Decimal(30)], "refunded")


def test_second_payment_of_a_paid_order_goes_back(payment: Payment):
    services.settle_payment(confirm(payment))
    second = PaymentFactory(order=payment.order, status="confirmed", captured_amount=payment.total)

    services.settle_payment(second)

    assert (fate(payment), fate(second)) == (("confirmed", True, ""), ("confirmed", True, "OrderNotPayable"))
    assert (Order.objects.get().status, Ticket.objects.count()) == ("paid", 2)
    assert_counters_equal_rows(payment.order.event)


def test_money_of_a_cancelled_payment_is_settled_as_what_it_is(payment: Payment, token: str, ben: User):
    """The fan cancelled, chose again, and the money came all the same."""
    services.cancel_payment(payment.order)
    second = services.hold_tickets(user=ben, token=token, wanted={"vip": 1})

    services.settle_payment(confirm(payment))

    second.refresh_from_db()
    assert (fate(payment), second.status) == (("confirmed", True, "OrderLimitReached"), "held")
    assert_counters_equal_rows(second.event)


def test_order_given_back_and_paid_late_does_not_end_the_running_turn(payment: Payment, ben: User):
    Event.objects.update(max_orders_per_customer=2)
    services.cancel_payment(payment.order)
    services.release_order(payment.order)

    services.settle_payment(confirm(payment))

    assert (Order.objects.get().status, Admission.objects.get().status) == ("paid", "admitted")
    assert_counters_equal_rows(payment.order.event)


def test_refund_sends_the_money_back(payment: Payment, floor: Tier):
    lapse(payment.order)
    Tier.objects.update(quantity=0)
    services.settle_payment(confirm(payment))

    tasks.refund_unplaced_payments()

    assert fate(payment) == ("refunded", True, "SoldOut")
    assert payment.captured_amount == 0
    before = traces()
    tasks.refund_unplaced_payments()
    tasks.settle_confirmed_payments()
    assert traces() == before


def test_refund_that_fails_stays_due_until_its_lease_is_over(payment: Payment, monkeypatch, caplog):
    Payment.objects.update(refund_due_at=timezone.now(), settled_at=timezone.now(), refund_reason="SoldOut")
    confirm(payment)
    asked = []

    def fail(self: PlayMoneyProvider, payment: Payment, amount: Decimal) -> Decimal:
        asked.append(amount)
        if len(asked) == 1:
            raise PaymentError("not now")
        return amount

    monkeypatch.setattr(PlayMoneyProvider, "refund", fail)
    tasks.refund_unplaced_payments()
    tasks.refund_unplaced_payments()
    after_the_first = (len(asked), fate(payment)[0])

    Payment.objects.update(refund_leased_until=timezone.now())
    tasks.refund_unplaced_payments()

    assert after_the_first == (1, "confirmed")
    assert (asked, fate(payment)[0]) == ([Decimal("330.00")] * 2, "refunded")
    assert "the refund failed and stays due" in caplog.text


def test_refund_is_leased_while_it_is_under_way(payment: Payment, monkeypatch):
    Payment.objects.update(refund_due_at=timezone.now(), settled_at=timezone.now(), refund_reason="SoldOut")
    confirm(payment)
    meanwhile = []

    def refund(self: PlayMoneyProvider, payment: Payment, amount: Decimal) -> Decimal:
        meanwhile.append(services.refund_next_payment())
        return amount

    monkeypatch.setattr(PlayMoneyProvider, "refund", refund)

    assert (services.refund_next_payment(), meanwhile) == (payment.pk, [None])
    lease = Payment.objects.get().refund_leased_until
    assert lease is not None
    assert timedelta(seconds=50) < lease - timezone.now() <= timedelta(seconds=60)


def test_money_of_a_paid_order_is_never_refunded_by_the_sweep(payment: Payment):
    services.settle_payment(confirm(payment))

    assert services.refund_next_payment() is None


def test_sale_of_several_fans_keeps_its_books(queue: Queue, event: Event):
    orders = [buy(queue, vip=2), buy(queue, floor=1, vip=1), buy(queue, floor=4)]

    assert [order.status for order in orders] == ["paid"] * 3
    assert Ticket.objects.count() == 8
    assert_counters_equal_rows(event)
