"""What an order tells to the organizer's programs, in the transaction that makes it, where somebody listens."""

from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone
from payments import PaymentError

from accounts.models import Organizer, User
from events import services as event_services
from events.models import Tier
from orders import services, tasks
from orders.models import Order, Payment
from orders.providers import PlayMoneyProvider
from queues.models import Admission, Queue
from tests.factories import EndpointFactory, PaymentFactory
from tests.orders.conftest import traces
from tests.statements import counted_statements
from tests.webhooks.facts import as_told, data_of, told
from tests.webhooks.life import LIFE, confirm, lapse, live_a_life
from webhooks.models import Endpoint, Fact, FactType

pytestmark = pytest.mark.django_db

# Settling the cast's order where nobody listens.
SETTLEMENT = 15


class ChangedMindError(Exception):
    pass


def admissions_told() -> list[Any]:
    return list(Fact.objects.in_order().values_list("admission", flat=True))


def test_paid_order_is_told_with_the_end_of_its_turn(payment: Payment, floor: Tier, endpoint: Endpoint):
    services.settle_payment(confirm(payment))

    order, admission = Order.objects.get(), Admission.objects.get()
    assert told() == ["admission.completed", "order.paid"]
    assert admissions_told() == [admission.public_id] * 2
    completed, paid = data_of("admission.completed"), data_of("order.paid")
    assert completed["admission"]["status"] == "completed"
    assert completed["admission"]["ended_at"] == as_told(admission.ended_at)
    assert paid == completed | {
        "order": {
            "code": order.code,
            "status": "paid",
            "currency": "USD",
            "subtotal": "300.00",
            "service_fee": "30.00",
            "total": "330.00",
            "paid_at": as_told(order.paid_at),
            "lines": [
                {"tier": "floor", "name": "Floor", "quantity": 2, "unit_price": "150.00", "unit_fee": "15.00"},
            ],
        }
    }


def test_settling_twice_is_told_once(payment: Payment, endpoint: Endpoint):
    services.settle_payment(confirm(payment))
    services.settle_payment(payment)
    tasks.settle_confirmed_payments()

    assert told() == ["admission.completed", "order.paid"]


def test_settlement_that_is_taken_back_is_not_told(payment: Payment, floor: Tier, endpoint: Endpoint):
    """The tier's counters are wrong, so that what was reserved cannot become sold."""
    Tier.objects.filter(pk=floor.pk).update(reserved_count=0)
    confirm(payment)
    before = traces()

    with pytest.raises(event_services.StockMismatchError):
        services.settle_payment(payment)

    assert (told(), traces()) == ([], before)


def test_lapsed_hold_is_told_as_the_end_of_the_turn(order: Order, admission: Admission, endpoint: Endpoint):
    lapse(order)

    assert told() == ["admission.expired"]
    assert data_of("admission.expired")["admission"]["status"] == "expired"
    assert admissions_told() == [admission.public_id]


def test_hold_itself_and_leaving_with_it_are_not_told(order: Order, admission: Admission, endpoint: Endpoint):
    services.leave_line(admission)

    assert told() == []


def test_late_money_that_finds_tickets_is_told_in_its_order(payment: Payment, endpoint: Endpoint):
    lapse(payment.order)
    services.settle_payment(confirm(payment))

    assert told() == ["admission.expired", "admission.completed", "order.paid"]
    assert len(set(admissions_told())) == 1


def test_late_money_that_finds_no_tickets_is_told_once_it_has_gone_back(payment: Payment, endpoint: Endpoint):
    lapse(payment.order)
    Tier.objects.update(quantity=0)
    services.settle_payment(confirm(payment))
    before = told()

    for _ in range(2):
        tasks.refund_unplaced_payments()

    refunded = data_of("order.refunded")
    assert (before, told()) == (["admission.expired"], ["admission.expired", "order.refunded"])
    assert refunded["admission"]["status"] == "expired"
    assert (refunded["order"]["status"], refunded["order"]["paid_at"]) == ("lapsed", None)
    assert refunded["order"]["refund"] == {"amount": "330.00"}
    assert len(set(admissions_told())) == 1


def test_refund_that_the_provider_refuses_is_not_told_until_it_is_done(
    payment: Payment, endpoint: Endpoint, monkeypatch
):
    lapse(payment.order)
    Tier.objects.update(quantity=0)
    services.settle_payment(confirm(payment))

    def fail(self: PlayMoneyProvider, payment: Payment, amount: Decimal) -> Decimal:
        raise PaymentError("not now")

    with monkeypatch.context() as patched:
        patched.setattr(PlayMoneyProvider, "refund", fail)
        tasks.refund_unplaced_payments()
    before = told()
    Payment.objects.update(refund_leased_until=timezone.now())
    tasks.refund_unplaced_payments()

    assert (before, told()) == (["admission.expired"], ["admission.expired", "order.refunded"])


def test_refund_of_which_only_a_part_was_sent_is_not_told(payment: Payment, endpoint: Endpoint, monkeypatch):
    lapse(payment.order)
    Tier.objects.update(quantity=0)
    services.settle_payment(confirm(payment))
    monkeypatch.setattr(PlayMoneyProvider, "refund", lambda self, payment, amount: amount - 1)

    tasks.refund_unplaced_payments()

    assert told() == ["admission.expired"]
    assert Payment.objects.values_list("status", "captured_amount").get() == ("confirmed", Decimal("1.00"))


def test_second_payment_that_goes_back_leaves_the_order_paid_and_is_not_told(payment: Payment, endpoint: Endpoint):
    services.settle_payment(confirm(payment))
    second = confirm(PaymentFactory(order=payment.order))
    services.settle_payment(second)

    tasks.refund_unplaced_payments()

    second.refresh_from_db()
    assert (second.status, Order.objects.get().status) == ("refunded", "paid")
    assert told() == ["admission.completed", "order.paid"]


@pytest.mark.parametrize(
    ("types", "statements"),
    [([], 0), (["queue.sold_out"], 0), (["admission.completed"], 3), (["order.paid"], 5), (FactType.values, 8)],
)
def test_settlement_costs_more_only_where_it_is_heard(
    payment: Payment, organizer: Organizer, types: list[str], statements: int
):
    if types:
        EndpointFactory(organizer=organizer, types=types)
    confirm(payment)

    with counted_statements() as sent:
        services.settle_payment(payment)

    assert len(sent) == SETTLEMENT + statements


@pytest.mark.parametrize("listens", [False, True])
def test_hold_costs_no_more_where_somebody_listens(
    token: str, ben: User, organizer: Organizer, queue: Queue, listens: bool
):
    if listens:
        EndpointFactory(organizer=organizer)

    with counted_statements() as sent:
        services.hold_tickets(user=ben, token=token, wanted={"floor": 2})

    assert (len(sent), told()) == (7, [])


def test_life_of_a_sale_is_told_from_beginning_to_end(queue: Queue, ben: User, cleo: User, endpoint: Endpoint):
    live_a_life(queue, ben, cleo)

    own = Fact.objects.in_order().values_list("type", flat=True)
    assert told() == LIFE
    assert list(own.filter(admission=Admission.objects.get(user=ben).public_id)) == [
        "admission.created",
        "admission.admitted",
        "admission.completed",
        "order.paid",
    ]
    assert list(own.filter(admission=Admission.objects.get(user=cleo).public_id)) == [
        "admission.created",
        "admission.admitted",
        "admission.expired",
        "order.refunded",
    ]


@pytest.mark.parametrize("wanted", FactType.values)
def test_only_what_somebody_asks_for_is_told(queue: Queue, ben: User, cleo: User, organizer: Organizer, wanted: str):
    EndpointFactory(organizer=organizer, types=[wanted])
    EndpointFactory(organizer=organizer, is_active=False)
    EndpointFactory()

    live_a_life(queue, ben, cleo)

    assert told() == [fact_type for fact_type in LIFE if fact_type == wanted]
    assert set(Fact.objects.values_list("organizer", flat=True)) == {organizer.pk}
