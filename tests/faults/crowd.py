"""The people of a sale that something happens to: they use its pages as a browser without scripts does."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Event as Flag
from threading import Thread

import httpx
from django.test import Client

from accounts.models import User
from config.bookkeeping import count_paid_without_ticket
from config.crowd.browser import Form, Page
from orders import services as order_services
from orders.models import Order
from queues.models import Admission
from tests.bookkeeping import assert_counters_equal_rows
from tests.factories import AdmissionFactory
from tests.journeys.sales import Sale, new_fan, new_sale

# A page that takes longer than this has hung; what a sweep does may take so long on a slow machine.
PAGE_SECONDS, SWEEP_SECONDS = 20, 30
PAUSE_SECONDS = 0.1
# The heading of a paid order.
BOUGHT = "Tickets secured!"


class Fan:
    """Somebody with an account, signed in on their own browser."""

    def __init__(self, url: str, user: User) -> None:
        self.user = user
        client = Client()
        client.force_login(user)
        cookies = {"sessionid": client.cookies["sessionid"].value}
        self.browser = httpx.Client(base_url=url, cookies=cookies, timeout=PAGE_SECONDS)

    def look(self, path: str) -> Page:
        """Go to an address and follow where it leads."""
        return self._ask("GET", path)

    def send(self, form: Form, **values: str) -> Page:
        """Send a form with some of its fields filled in, and follow where it leads."""
        return self._ask("POST", form.action, {**form.fields, **values})

    def choose(self, sale: Sale) -> Page:
        """Take one ticket; returns the page of the order."""
        return self.send(found(self.look(sale.journey), "/hold/"), **{"tier-floor": "1"})

    def pay(self, page: Page) -> Page:
        """Fill in the name on the page of the order and pay; returns the confirmation."""
        form = found(page, "/pay/")
        return self.pay_at(self.send(form, **{"holder-1": self.user.name, "email": self.user.email, "terms": "on"}))

    def pay_at(self, counter: Page) -> Page:
        """Pay at the provider's counter; returns the confirmation."""
        return self.send(found(counter, "/payment/"), outcome="confirm")

    def _ask(self, method: str, url: str, data: dict[str, str] | None = None) -> Page:
        answer = self.browser.request(method, url, data=data, follow_redirects=True)
        return Page(str(answer.url), answer.status_code, answer.text, answer.headers, sent=0, answered=0)


def found(page: Page, part: str) -> Form:
    """Return the form of the page that goes to an address with this part."""
    form = page.form(part)
    assert form, f'{page.url} ({page.status}, "{page.heading}") has no form to {part}'
    return form


@dataclass(frozen=True)
class MidSale:
    """A sale, and who is there: two may be inside at once, and two are. One is about to come."""

    sale: Sale
    paying: Fan
    choosing: Fan
    waiting: list[Fan]
    coming: Fan
    order: Order

    def standings(self) -> list[tuple[str, int, str]]:
        """Return who stands where, in the order of the line."""
        rows = Admission.objects.filter(queue=self.sale.queue).order_by("place")
        return list(rows.values_list("user__email", "place", "status"))

    def statuses(self) -> list[str]:
        return [status for _, _, status in self.standings()]

    @property
    def counter(self) -> str:
        return f"/orders/{self.order.code}/payment/"

    def own_pages(self) -> list[str]:
        """Return the pages that each fan sees his own way, or that nobody keeps ready."""
        return ["/", self.sale.page, self.sale.journey, "/tickets/"]

    def read_by_pages(self) -> list[str]:
        """Return what the pages ask for again and again."""
        board = f"/api/v1/queues/{self.sale.queue.slug}/board/"
        return [board, f"/api/v1/events/{self.sale.event.slug}/availability/"]

    def pages(self) -> list[str]:
        """Return every page that who pays may look at."""
        return [*self.own_pages(), *self.read_by_pages(), self.counter]

    def assert_goes_on(self) -> None:
        """Let who pays pay, see the next in line let in, and let that one buy; then look into the books."""
        assert self.paying.pay_at(self.paying.look(self.counter)).heading == BOUGHT
        wait_until(lambda: self.waiting[0].look(self.sale.journey).form("/hold/") is not None)
        assert self.statuses() == ["completed", "admitted", "admitted", "waiting", "waiting"]
        next_one = self.waiting[0]
        assert next_one.pay(next_one.choose(self.sale)).heading == BOUGHT
        self.assert_books_agree()

    def assert_books_agree(self) -> None:
        assert_counters_equal_rows(self.sale.event)
        assert count_paid_without_ticket() == 0

    def leave(self) -> None:
        for fan in (self.paying, self.choosing, *self.waiting, self.coming):
            fan.browser.close()


def mid_sale(url: str) -> MidSale:
    """Begin a sale: somebody pays, somebody chooses, three wait, one is about to come."""
    sale = new_sale(max_concurrent_admissions=2, admission_rate_per_minute=600)
    payer, chooser, *others, last = [new_fan() for _ in range(6)]
    order = sale.hold(payer, floor=2)
    order_services.start_payment(order, holders=["Guest 1", "Guest 2"], email=payer.email)
    sale.let_in(chooser)
    for other in others:
        AdmissionFactory(queue=sale.queue, user=other)
    fans = [Fan(url, user) for user in (payer, chooser, *others, last)]
    return MidSale(sale=sale, paying=fans[0], choosing=fans[1], waiting=fans[2:5], coming=fans[5], order=order)


def wait_until(is_so: Callable[[], object], seconds: float = SWEEP_SECONDS) -> float:
    """Wait until something is so; returns how many seconds it took."""
    began = time.monotonic()
    while not is_so():
        assert time.monotonic() - began < seconds, f"not so after {seconds} s"
        time.sleep(PAUSE_SECONDS)
    return time.monotonic() - began


@dataclass(frozen=True)
class Answers:
    """What somebody was answered who reloaded pages all the while."""

    kinds: set[str]
    slowest: list[float]


@contextmanager
def reloading(fan: Fan, paths: list[str]) -> Iterator[Answers]:
    """Let a fan reload pages in a thread until the block ends; every answer is noted."""
    answers, is_over = Answers(set(), [0.0]), Flag()

    def reload() -> None:
        while not is_over.is_set():
            for path in paths:
                began = time.monotonic()
                answers.kinds.add(kind_of_answer(fan.browser, path))
                answers.slowest[0] = max(answers.slowest[0], time.monotonic() - began)

    thread = Thread(target=reload, daemon=True)
    thread.start()
    try:
        yield answers
    finally:
        is_over.set()
        thread.join(PAGE_SECONDS * len(paths))


def kind_of_answer(browser: httpx.Client, path: str) -> str:
    """Return what a page is answered with: its status, and for "busy" when to come again."""
    try:
        answer = browser.get(path)
    except httpx.TransportError as error:
        return f"{path}: {type(error).__name__}"
    if answer.status_code == 200:
        return "shown"
    if answer.status_code == 503 and answer.headers.get("Retry-After") == "2":
        return "busy"
    return f"{path}: {answer.status_code} {answer.headers.get('Location', '')}"
