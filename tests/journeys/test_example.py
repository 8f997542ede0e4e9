"""The example of the documentation, run as a reader runs it, on a real server."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest

from accounts import services as account_services
from accounts.models import User
from config.crowd.scene import link_of_letter
from config.stack import PROJECT, Stack
from orders.models import Ticket
from tests.faults.crowd import wait_until
from tests.journeys.sales import Sale, end, new_fan, new_sale

BUY = PROJECT / "docs" / "examples" / "buy.py"
MOST_LINES = 60


class Reader:
    """Somebody who runs the example: types, and reads what it says."""

    def __init__(self, url: str, sale: Sale, email: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, BUY, url, sale.queue.slug, email],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def hears(self, end_of_question: str) -> str:
        """Wait for a question; returns everything that was said until its end."""
        assert self.process.stdout
        said = ""
        while not said.endswith(end_of_question):
            letter = self.process.stdout.read(1)
            assert letter, f"It ended with {said!r}"
            said += letter
        return said

    def types(self, line: str) -> None:
        assert self.process.stdin
        self.process.stdin.write(f"{line}\n")
        self.process.stdin.flush()

    def end(self) -> tuple[int, str, str]:
        """Wait for the end; returns the exit code, and what was said since on both ways."""
        said, complained = self.process.communicate(timeout=60)
        return self.process.returncode, said, complained


@pytest.fixture
def run_example(stack: Stack) -> Iterator[Callable[[Sale, str], Reader]]:
    """Return a function that runs the example; what still runs at the end is stopped."""
    readers: list[Reader] = []

    def run(sale: Sale, email: str) -> Reader:
        readers.append(Reader(stack.url, sale, email))
        return readers[-1]

    yield run
    for reader in readers:
        reader.process.kill()
        reader.process.communicate()


def test_example_is_short_and_needs_nothing_but_python():
    text = BUY.read_text()
    imported = {line.split()[1].partition(".")[0] for line in text.splitlines() if line.startswith(("import", "from"))}
    assert imported <= sys.stdlib_module_names
    assert len(text.splitlines()) <= MOST_LINES


def test_example_goes_from_signing_up_to_the_ticket(stack: Stack, run_example: Callable[[Sale, str], Reader]):
    sale = new_sale(enable_captcha=True, max_concurrent_admissions=1)
    inside = sale.let_in(new_fan())
    reader = run_example(sale, "nova@example.org")

    assert reader.hears(": ") == "Choose a password: "
    reader.types("a long enough secret")
    assert reader.hears("): ") == f"Paste the link of the letter to you (the demo shows it at {stack.url}/mail/): "
    reader.types(link_of_letter("nova@example.org"))
    asked = reader.hears("Enter: ")
    assert asked == f"Sign in at {stack.url}/account/identity/, show your document, and press Enter: "
    nova = User.objects.get(email="nova@example.org")
    assert (nova.name, nova.is_email_verified, sale.admissions(nova)) == ("nova", True, [])
    account_services.mark_identity_verified(nova)
    reader.types("")
    wait_until(lambda: [admission.status for admission in sale.admissions(nova)] == ["waiting"])
    end(inside)

    code, said, complained = reader.end()
    [order] = sale.orders(nova)
    [ticket] = Ticket.objects.filter(order=order)
    assert (code, complained) == (0, "")
    held, paid = said.splitlines()
    assert held.startswith("Held until 20")
    assert held.endswith(f": floor, {order.total} USD")
    assert paid == f"Order {order.code} is paid: {ticket.public_id}"
    assert (order.status, order.holders, order.email) == ("paid", ["nova"], "nova@example.org")
    assert (ticket.owner, ticket.tier.slug) == (nova, "floor")
    assert [admission.status for admission in sale.admissions(nova)] == ["completed"]


def test_example_says_why_it_was_refused(run_example: Callable[[Sale, str], Reader]):
    sale = new_sale()
    sale.change_event(require_identification=False)
    sale.close()
    reader = run_example(sale, "late@example.org")
    reader.types("a long enough secret")
    reader.hears("/mail/): ")
    reader.types(link_of_letter("late@example.org"))

    code, _, complained = reader.end()
    assert (code, complained) == (1, "This sale is closed.\n")
    assert sale.admissions(User.objects.get(email="late@example.org")) == []
