"""Many acts at random on a queue with an allocation: the books agree after each; what is refused changes nothing."""

import random
from collections.abc import Callable

import pytest
from django.utils import timezone

from accounts.refusals import Refusal
from events.models import Event, Tier
from orders import services
from orders.models import Order, Payment
from queues.admittance import token_for
from queues.models import Admission, Queue
from tests.bookkeeping import assert_counters_equal_rows
from tests.factories import AdmissionFactory

pytestmark = pytest.mark.django_db

ACTS = 60


class Sale:
    """A queue, and everything that can happen to one of its orders, chosen by `chance`."""

    def __init__(self, queue: Queue, chance: random.Random) -> None:
        self.queue, self.chance = queue, chance

    def some(self, **facts: object) -> Order:
        """Choose an order by its facts; raises IndexError if there is none."""
        found = Order.objects.filter(**facts).select_related("admission", "buyer", "event")
        return self.chance.choice(list(found.order_by("pk")))

    def wanted(self) -> dict[str, int]:
        return {tier: self.chance.randint(1, 2) for tier in self.chance.sample(["floor", "vip"], 2)}

    def hold(self) -> None:
        turn = AdmissionFactory(queue=self.queue, admitted=True)
        services.hold_tickets(user=turn.user, token=token_for(turn), wanted=self.wanted())

    def choose_again(self) -> None:
        held = self.some(status="held")
        services.hold_tickets(user=held.buyer, token=token_for(held.admission), wanted=self.wanted())

    def give_back(self) -> None:
        services.release_order(self.some(status="held"))

    def leave(self) -> None:
        services.leave_line(self.some(status="held").admission)

    def lapse(self) -> None:
        order = self.some(status="held")
        Order.objects.filter(pk=order.pk).update(hold_ends_at=timezone.now())
        services.expire_order(order)

    def start_payment(self) -> None:
        order = self.some(status="held")
        services.start_payment(order, holders=["Somebody"] * order.ticket_count(), email="")

    def cancel_payment(self) -> None:
        services.cancel_payment(self.some(status="held"))

    def settle(self) -> None:
        """Let money arrive, in time or late."""
        payment = self.chance.choice(list(Payment.objects.order_by("pk")))
        Payment.objects.filter(pk=payment.pk).update(status="confirmed", captured_amount=payment.total)
        services.settle_payment(payment)

    def set_allocation(self) -> None:
        services.change_allocation(self.queue, self.chance.choice([None, 12, 20, 30]))

    def next_act(self) -> Callable[[], None]:
        acts = [self.hold, self.hold, self.choose_again, self.give_back, self.leave, self.lapse, self.set_allocation]
        return self.chance.choice([*acts, self.start_payment, self.start_payment, self.cancel_payment, self.settle])


@pytest.mark.parametrize("seed", range(5))
def test_counter_equals_the_rows_after_each_act(queue: Queue, event: Event, seed: int):
    Tier.objects.filter(slug="vip").update(quantity=12)
    sale = Sale(queue, random.Random(seed))
    services.change_allocation(queue, 20)
    refused, done = set(), set()
    for _ in range(ACTS):
        act, before = sale.next_act(), books()
        try:
            act()
            done.add(act.__name__)
        except Refusal as refusal:
            refused.add(type(refusal).__name__)
            assert books() == before
        except IndexError:
            # There is no such order or payment yet.
            pass
        assert_counters_equal_rows(event)
    assert len(done) > 5
    assert refused


def books() -> list[object]:
    return [
        list(Queue.objects.values("allocation", "allocated_count")),
        list(Tier.objects.order_by("pk").values("reserved_count", "sold_count")),
        list(Order.objects.order_by("pk").values("pk", "status")),
        list(Admission.objects.exclude(order_code="").order_by("pk").values("status", "order_code", "has_hold")),
    ]
