"""The allocation on the fan's pages and at the organiser's desk."""

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.db import OperationalError
from django.test import Client
from django.utils import timezone

from accounts.models import User
from events.models import Tier
from orders import services
from orders.models import Order
from queues import locks
from queues.admittance import token_for
from queues.models import Admission, Queue
from tests.factories import AdmissionFactory
from tests.pages import form_to, forms, submit

pytestmark = pytest.mark.django_db


@pytest.fixture
def bens(client: Client, ben: User) -> Client:
    """A browser in which Ben is signed in."""
    client.force_login(ben)
    return client


@pytest.fixture
def desk(client: Client, ada: User) -> Client:
    """Ada at her desk."""
    client.force_login(ada)
    return client


def hold(queue: Queue, **wanted: int) -> Order:
    turn = AdmissionFactory(queue=queue, admitted=True)
    return services.hold_tickets(user=turn.user, token=token_for(turn), wanted=wanted)


def ceiling() -> tuple[int | None, int]:
    return Queue.objects.values_list("allocation", "allocated_count").get()


def selection(client: Client, queue: Queue) -> str:
    return str(client.get(f"/queues/{queue.slug}/").content.decode())


# What the fan sees


def test_selection_shows_what_is_left_for_this_queue(queue: Queue, admission: Admission, bens: Client):
    services.change_allocation(queue, 5)
    hold(queue, floor=2)

    html = selection(bens, queue)

    assert "This sale has 3 tickets left." in html
    assert html.count("3 available") == 2
    assert 'data-maximum="3" data-availability-url="/api/v1/queues/fall-tour-sale/availability/"' in html
    assert html.count('min="0" max="3"') == 2


def test_selection_without_an_allocation_shows_what_the_tiers_have(queue: Queue, admission: Admission, bens: Client):
    hold(queue, floor=2)

    html = selection(bens, queue)

    assert "This sale has" not in html
    assert ("5 available" in html, "98 available" in html) == (True, True)
    assert 'data-maximum="4" data-availability-url="/api/v1/events/fall-tour/availability/"' in html


def test_selection_lets_a_fan_keep_what_is_held_of_a_used_up_allocation(queue: Queue, order: Order, bens: Client):
    """Two tickets are held; the allocation has none besides."""
    services.change_allocation(queue, 2)

    html = selection(bens, queue)

    assert 'data-maximum="2"' in html
    assert html.count("Sold out</span>") == 2
    assert form_to(bens.get(f"/queues/{queue.slug}/"), f"/queues/{queue.slug}/hold/").fields["tier-floor"] == "2"


def test_choice_above_the_allocation_is_kept_and_the_reason_told(queue: Queue, admission: Admission, bens: Client):
    services.change_allocation(queue, 3)
    page = bens.get(f"/queues/{queue.slug}/")
    hold(queue, floor=2)

    answer = submit(bens, form_to(page, f"/queues/{queue.slug}/hold/"), **{"tier-floor": "2"})

    assert answer.status_code == 409
    assert "Not enough tickets available: 1 ticket is left in this sale." in answer.content.decode()
    assert (Order.objects.count(), ceiling()) == (1, (3, 2))


@pytest.mark.parametrize("allocation", [None, 4])
def test_sold_out_page_says_whether_it_is_this_sale_or_the_event(queue: Queue, bens: Client, allocation: int | None):
    hold(queue, floor=4)
    services.change_allocation(queue, allocation)
    Queue.objects.update(sold_out_at=timezone.now())

    html = selection(bens, queue)

    of_this_sale = "All tickets of the sale “General sale” have been sold." in html
    assert (of_this_sale, "All tickets for Fall Tour have been sold." in html) == (
        allocation is not None,
        allocation is None,
    )


# The organiser's desk


def page_of(queue: Queue) -> str:
    return f"/admin/queues/queue/{queue.pk}/change/"


def save(desk: Client, queue: Queue, **typed: Any) -> Any:
    """Fill the queue's form in as it stands, with something typed, and save it."""
    shown = desk.get(page_of(queue))
    fields = next(form.fields for form in forms(shown) if "max_concurrent_admissions" in form.fields)
    fields |= {"kind": queue.kind, "metadata": "{}", "guests": "", "message": queue.message}
    fields["captcha_threshold"] = queue.captcha_threshold
    return desk.post(page_of(queue), {**fields, **typed})


def errors_in(answer: Any) -> list[str]:
    return [str(error) for errors in answer.context["errors"] for error in errors]


def test_organiser_sets_raises_and_lifts_the_allocation(desk: Client, queue: Queue):
    hold(queue, floor=3)
    seen = []
    for typed in ("10", "4", "3", ""):
        assert save(desk, queue, allocation=typed).status_code == 302
        seen.append(ceiling())

    assert seen == [(10, 3), (4, 3), (3, 3), (None, 0)]


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("2", "It cannot be lower than 3: so many tickets are reserved or sold in this queue."),
        ("-1", "Ensure this value is greater than or equal to 0."),
        ("many", "Enter a whole number."),
    ],
)
@pytest.mark.parametrize("before", [None, 5])
def test_allocation_that_cannot_be_is_refused_in_plain_words(
    desk: Client, queue: Queue, typed: str, sentence: str, before: int | None
):
    hold(queue, floor=3)
    services.change_allocation(queue, before)
    kept = ceiling()

    answer = save(desk, queue, allocation=typed, name="Other")

    assert (answer.status_code, sentence in errors_in(answer)) == (200, True)
    assert (ceiling(), Queue.objects.get().name) == (kept, queue.name)


def test_allocation_of_nothing_is_refused(desk: Client, queue: Queue):
    answer = save(desk, queue, allocation="0")

    assert "Ensure this value is greater than or equal to 1." in errors_in(answer)
    assert ceiling() == (None, 0)


def test_tickets_that_went_between_the_look_and_the_write_are_told_in_the_form(
    desk: Client, queue: Queue, monkeypatch: pytest.MonkeyPatch
):
    """The form has found the allocation possible; then somebody holds; nothing of the form is written."""
    hold(queue, floor=3)
    looks: list[int] = []
    count = services.tickets_used

    def tickets_used(of: Queue) -> int:
        looks.append(count(of))
        return 0 if len(looks) == 1 else looks[-1]

    monkeypatch.setattr(services, "tickets_used", tickets_used)

    answer = save(desk, queue, allocation="2", name="Other")

    assert answer.status_code == 200
    assert "It cannot be lower than 3: so many tickets are reserved or sold in this queue." in errors_in(answer)
    assert (ceiling(), Queue.objects.get().name, looks) == ((None, 0), queue.name, [3, 3])


@pytest.mark.django_db(transaction=True)
def test_form_that_finds_the_gates_busy_is_saved_a_moment_later(desk: Client, queue: Queue, monkeypatch: Any):
    shut = locks.shut_gates

    def find_busy_once(event_id: int) -> None:
        monkeypatch.setattr(locks, "shut_gates", shut)
        raise OperationalError("canceling statement due to lock timeout")

    monkeypatch.setattr(locks, "shut_gates", find_busy_once)

    assert save(desk, queue, allocation="10").status_code == 302
    assert ceiling() == (10, 0)
    assert LogEntry.objects.count() == 1


def test_saving_something_else_leaves_the_allocation_and_its_counter(desk: Client, queue: Queue, floor: Tier):
    services.change_allocation(queue, 10)
    hold(queue, floor=3)

    assert save(desk, queue, name="Other").status_code == 302
    assert (ceiling(), Queue.objects.get().name) == ((10, 3), "Other")


def test_desk_shows_how_much_of_the_allocation_is_used(desk: Client, queue: Queue):
    services.change_allocation(queue, 10)
    hold(queue, floor=3)

    assert "3 of 10" in desk.get(page_of(queue)).content.decode()


def test_change_of_an_allocation_is_written_to_the_history(desk: Client, queue: Queue):
    save(desk, queue, allocation="10")

    history = desk.get(f"/admin/queues/queue/{queue.pk}/history/").content.decode()
    assert "Tickets for this queue: – → 10" in history
