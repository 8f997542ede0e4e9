"""What is on sale in a journey: an event of its own for each test, so that none meets another's line."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from itertools import count
from typing import Any

from django.db.models.functions import Now
from django.utils import timezone

from accounts.models import User
from events.models import Event, Tier
from orders import services as order_services
from orders.models import Order
from queues import admittance
from queues import services as queue_services
from queues.models import Admission, Queue
from tests.factories import AdmissionFactory, EventFactory, QueueFactory, TierFactory, UserFactory

numbers = count(1)


@dataclass(frozen=True)
class Sale:
    """An event with one queue and its tiers."""

    event: Event
    queue: Queue
    vip: Tier
    floor: Tier

    @property
    def page(self) -> str:
        return f"/events/{self.event.slug}/"

    @property
    def journey(self) -> str:
        return f"/queues/{self.queue.slug}/"

    def change_queue(self, **fields: Any) -> None:
        Queue.objects.filter(pk=self.queue.pk).update(**fields)

    def change_event(self, **fields: Any) -> None:
        Event.objects.filter(pk=self.event.pk).update(**fields)

    def close(self) -> None:
        queue_services.close_queue(self.queue)

    def sell_out(self, tier: Tier) -> None:
        Tier.objects.filter(pk=tier.pk).update(sold_count=tier.quantity)

    def sell_out_all(self) -> None:
        for tier in (self.vip, self.floor):
            self.sell_out(tier)

    def admissions(self, fan: User) -> list[Admission]:
        return list(Admission.objects.for_fan(fan).filter(queue=self.queue).order_by("pk"))

    def orders(self, fan: User) -> list[Order]:
        return list(Order.objects.for_buyer(fan).filter(event=self.event).order_by("pk"))

    def counters(self, tier: Tier) -> tuple[int, int]:
        """Return how many of a tier are reserved and sold."""
        return Tier.objects.values_list("reserved_count", "sold_count").get(pk=tier.pk)

    def let_in(self, fan: User, **fields: Any) -> Admission:
        """Give a fan their turn."""
        return AdmissionFactory(queue=self.queue, user=fan, admitted=True, **fields)

    def hold(self, fan: User, **wanted: int) -> Order:
        """Let a fan in who takes tickets at once: `hold(fan, floor=2)`."""
        token = admittance.token_for(self.let_in(fan, claimed_at=timezone.now()))
        return order_services.hold_tickets(user=fan, token=token, wanted=wanted)

    def buy(self, fan: User, **wanted: int) -> Order:
        """Let a fan in who takes tickets and pays."""
        order = self.hold(fan, **wanted)
        holders = [f"Guest {number}" for number in range(1, order.ticket_count() + 1)]
        payment = order_services.start_payment(order, holders=holders, email=fan.email)
        order_services.submit_payment(payment, {"outcome": "confirm"})
        order_services.settle_order(order)
        return Order.objects.get(pk=order.pk)


def new_sale(**queue_fields: Any) -> Sale:
    """Put an event with two tiers on sale, dressed as fully as an event can be."""
    number = next(numbers)
    event = EventFactory(
        name=f"Lanterns over the Water {number}",
        slug=f"lanterns-{number}",
        venue__name="Assembly Hall",
        venue__city="Chicago, IL",
        description="A string quartet plays by candlelight, without an interval.",
        time_zone="America/Chicago",
        tickets_non_transferable=True,
        require_buyer_attendance=True,
        require_identification=True,
    )
    perks = ["Early entry", "Meet & Greet"]
    vip = TierFactory(event=event, name="VIP", slug="vip", price=Decimal("499.99"), quantity=5, perks=perks)
    floor = TierFactory(event=event, name="Floor", slug="floor", price=150, quantity=100, position=1)
    fields = {"name": "General sale", "slug": f"lanterns-sale-{number}", **queue_fields}
    return Sale(event=event, queue=QueueFactory(event=event, **fields), vip=vip, floor=floor)


def new_fan(**fields: Any) -> User:
    """Return somebody with an account, a confirmed address and a verified identity."""
    proved = {"email_verified_at": timezone.now(), "identity_verified_at": timezone.now()}
    return UserFactory(**{"email": f"fan-{next(numbers)}@example.org", **proved, **fields})


def end(admission: Admission) -> None:
    """Let somebody go who was inside or in line."""
    Admission.objects.filter(pk=admission.pk).update(status=Admission.Status.LEFT, ended_at=Now())


def soon(**span: float) -> Any:
    return timezone.now() + timedelta(**span)
