"""The crowd's two ways in, on a real server: whatever a fan does, it does by both, and sees the same."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any, TypeVar

import httpx
import pytest
from django.db import connection
from django.utils import timezone

from accounts.models import User
from config.crowd import scene
from config.crowd.plans import CARELESS, ON_A_BAD_LINE, Kind, Plan
from config.crowd.run import open_way
from config.crowd.sale import Line
from config.crowd.tally import Tally
from config.crowd.way import Sight, Via, Way
from config.stack import Stack
from orders.models import Order, Payment
from queues.conditions import Readiness
from queues.models import Admission
from tests.factories import AdmissionFactory
from tests.journeys.sales import Sale, end, new_fan, new_sale, soon

Told = TypeVar("Told")
ONE_INSIDE = {"max_concurrent_admissions": 1}
PLAN = Plan(
    number=1,
    name="Fan 1",
    email="fan-1@rehearsal.example",
    kind=Kind.BUYS,
    wishes=("floor",),
    quantity=1,
    queue="general",
    is_ready=False,
    arrives_after=0,
    signs_up=False,
    seed="ways",
)
CARELESS_PLAN = replace(PLAN, number=CARELESS)
PLAN_ON_A_BAD_LINE = replace(PLAN, number=ON_A_BAD_LINE)

pytestmark = pytest.mark.parametrize("via", Via)


class Site:
    """The stack, as one fan reaches it."""

    def __init__(self, stack: Stack, via: Via, fan: User | None, plan: Plan = PLAN) -> None:
        self.tally = Tally(via=via)
        self._url, self._plan = stack.url, plan
        self._session = scene.sign_in(fan) if fan else ""

    def do(self, act: Callable[[Way], Awaitable[Told]]) -> Told:
        """Let the fan do something; returns what came of it."""

        async def live() -> Told:
            async with httpx.AsyncHTTPTransport() as transport:
                gate = asyncio.Semaphore(4)
                way = open_way(self._plan, transport, self._url, gate=gate, tally=self.tally, session=self._session)
                return await act(way)

        # In a thread of its own: a browser of another test may keep a loop in this one.
        with ThreadPoolExecutor(1) as thread:
            return thread.submit(lambda: asyncio.run(live())).result()


def line_of(sale: Sale, **fields: Any) -> Line:
    return Line("general", sale.queue.slug, **fields)


def reference_to(order: Order, via: Via) -> str:
    """Return what leads to an order that the fan has made elsewhere."""
    return order.get_absolute_url() if via == Via.PAGES else order.code


def busy_sale(**fields: Any) -> Sale:
    """Return a sale with somebody inside, so that nobody else is let in."""
    sale = new_sale(**{**ONE_INSIDE, **fields})
    sale.let_in(new_fan(), claimed_at=timezone.now())
    return sale


def test_fan_sees_where_the_sale_stands(stack: Stack, via: Via):
    fan = new_fan()
    stages: dict[str, tuple[Sale, Sight]] = {
        "too soon": (
            new_sale(require_access_code=True, scheduled_start=soon(hours=1)),
            Sight(can_show_code=True),
        ),
        "open": (new_sale(), Sight(can_join=True, can_show_code=True)),
        "paused": (new_sale(paused_at=timezone.now()), Sight(can_join=True, can_show_code=True)),
        "closed": (new_sale(closed_at=timezone.now()), Sight()),
    }
    site = Site(stack, via, fan)
    seen = {name: site.do(lambda way, sale=sale: way.door(line_of(sale)).look()) for name, (sale, _) in stages.items()}  # type: ignore[misc]
    assert seen == {name: sight for name, (_, sight) in stages.items()}


def test_fan_sees_the_place_and_then_the_turn(stack: Stack, via: Via):
    fan, sale = new_fan(), busy_sale()
    admission = AdmissionFactory(queue=sale.queue, user=fan)
    site = Site(stack, via, fan)

    def look() -> Sight:
        return site.do(lambda way: way.door(line_of(sale)).look())

    assert look() == Sight(place=admission.place)
    Admission.objects.filter(pk=admission.pk).update(
        status="admitted", admitted_at=timezone.now(), window_ends_at=soon(minutes=5)
    )
    assert look() == Sight(has_turn=True)
    end(admission)
    assert look() == Sight(can_join=True, can_show_code=True)


def test_fan_gets_ready_with_code_and_sum_joins_and_leaves(stack: Stack, via: Via):
    fan = new_fan()
    sale = busy_sale(enable_captcha=True, require_access_code=True, scheduled_start=soon(hours=1))
    line = line_of(sale, code=sale.queue.access_codes.create(code="GOOD", max_uses=5).code)
    site = Site(stack, via, fan)

    async def come_early(way: Way) -> list[tuple[bool, str]]:
        door = way.door(line)
        await door.look()
        answers = [await door.join(), await door.show_code("WRONG")]
        await door.fill_in()
        answers.append(await door.get_ready())
        return [(answer.is_taken, answer.refusal) for answer in answers]

    async def come_again(way: Way) -> list[tuple[bool, str]]:
        door = way.door(line)
        await door.look()
        await door.fill_in()
        answers = [await door.join(), await door.join()]
        await door.look()
        answers.append(await door.leave())
        return [(answer.is_taken, answer.refusal) for answer in answers]

    assert site.do(come_early) == [(False, "queue_not_open"), (False, "access_code_invalid"), (True, "")]
    assert list(Readiness.objects.filter(user=fan).values_list("code__code", "has_solved_captcha")) == [("GOOD", True)]
    sale.change_queue(scheduled_start=soon(hours=-1))
    assert site.do(come_again) == [(True, "")] * 3
    assert [admission.status for admission in sale.admissions(fan)] == ["left"]
    assert (dict(site.tally.refused), site.tally.errors) == ({"queue_not_open": 1, "access_code_invalid": 1}, [])


def test_fan_shows_up_holds_and_pays_after_being_declined(stack: Stack, via: Via):
    fan, sale = new_fan(), new_sale()
    sale.let_in(fan)
    site = Site(stack, via, fan, replace(PLAN, email=fan.email))

    async def buy(way: Way) -> list[tuple[bool, str]]:
        door = way.door(line_of(sale))
        await door.look()
        await door.show_up()
        held = await door.hold("floor", 2)
        paid = []
        for outcome in ("decline", "confirm"):
            assert await way.is_payable(held.order)
            counter = await way.open_payment(held.order, name="Fan", email="other@example.org")
            assert counter
            paid.append(await counter.pay(outcome))
        assert not await way.is_payable(held.order)
        return [(answer.is_taken, answer.refusal) for answer in (held, paid[-1])]

    assert site.do(buy) == [(True, "")] * 2
    [order] = sale.orders(fan)
    assert (order.status, order.holders, order.email) == ("paid", ["Fan 1", "Fan 2"], "other@example.org")
    [admission] = sale.admissions(fan)
    assert (admission.status, admission.claimed_at is None) == ("completed", False)
    assert [payment.status for payment in Payment.objects.of(order).order_by("pk")] == ["rejected", "confirmed"]


def test_fan_pays_at_the_provider_although_the_hold_has_lapsed(stack: Stack, via: Via):
    fan, sale = new_fan(), new_sale()
    order = sale.hold(fan, floor=1)
    site = Site(stack, via, fan)
    reference = reference_to(order, via)

    async def pay_late(way: Way) -> bool:
        assert await way.is_payable(reference)
        counter = await way.go_to_provider(reference, name="Fan", email=fan.email)
        assert counter
        await asyncio.to_thread(let_lapse, order)
        return (await counter.pay("confirm")).is_taken

    assert site.do(pay_late)
    [payment] = Payment.objects.of(order)
    assert payment.captured_amount == order.total


def test_fan_signs_up_with_address_and_document(stack: Stack, via: Via):
    site, email = Site(stack, via, None), f"new-{via}@rehearsal.example"

    async def read_letter(address: str) -> str:
        return await asyncio.to_thread(in_own_connection, scene.link_of_letter, address)

    site.do(lambda way: way.sign_up("Nova", email, read_letter))
    user = User.objects.get(email=email)
    assert (user.name, user.is_email_verified, user.is_identity_verified) == ("Nova", True, True)
    assert dict(site.tally.refused) == {}


def test_only_a_careful_program_asks_whether_something_has_changed(stack: Stack, via: Via):
    fan, sale = new_fan(), new_sale()
    reference = reference_to(sale.hold(fan, floor=1), via)

    async def look_twice(way: Way) -> list[bool]:
        return [await way.is_payable(reference), await way.is_payable(reference)]

    unchanged = []
    for plan in (PLAN, CARELESS_PLAN):
        site = Site(stack, via, fan, plan)
        assert site.do(look_twice) == [True, True]
        unchanged.append(site.tally.unchanged)
    assert unchanged == ([1, 0] if via == Via.API else [0, 0])


def test_program_on_a_bad_line_is_answered_the_same_and_nothing_is_doubled(stack: Stack, via: Via):
    fan, sale = new_fan(), new_sale()
    sale.let_in(fan, claimed_at=timezone.now())
    site = Site(stack, via, fan, PLAN_ON_A_BAD_LINE)

    async def buy(way: Way) -> list[bool]:
        door = way.door(line_of(sale))
        await door.look()
        held = await door.hold("floor", 2)
        assert await way.is_payable(held.order)
        counter = await way.open_payment(held.order, name="Fan", email=fan.email)
        assert counter
        return [held.is_taken, (await counter.pay("confirm")).is_taken]

    assert site.do(buy) == [True, True]
    # The same without the key would be refused: the order is paid.
    assert (site.tally.repeated, site.tally.differing) == ((2, 0) if via == Via.API else (0, 0))
    [order] = sale.orders(fan)
    assert [payment.status for payment in Payment.objects.of(order)] == ["confirmed"]
    assert sale.counters(sale.floor) == (0, 2)


def let_lapse(order: Order) -> None:
    """Let a hold's time be over, and its turn's with it."""
    past = soon(minutes=-1)

    def move() -> None:
        Admission.objects.filter(pk=order.admission_id).update(window_ends_at=past)
        Order.objects.filter(pk=order.pk).update(hold_ends_at=past)

    in_own_connection(move)


def in_own_connection(ask: Callable[..., Told], *given: Any) -> Told:
    try:
        return ask(*given)
    finally:
        connection.close()
