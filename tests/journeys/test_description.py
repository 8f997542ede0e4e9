"""The running server asked whatever the description allows, and what it forbids: it answers as described.

Schemathesis makes the requests, the same ones each time. Most of them are led to a sale that goes on, and are asked by
somebody whom they concern, because names made up by chance lead to 404 only. `make schemathesis EXAMPLES=1000` asks for
longer.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any
from zlib import crc32

import pytest
import schemathesis
from django.test import Client
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import CHECKS
from schemathesis.core.parameters import ParameterLocation
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance

from config.description import read_description
from config.stack import Stack
from events.models import Tier
from orders import services as order_services
from orders.models import Order, Ticket
from queues import admittance
from queues.models import Admission
from tests.journeys.sales import Sale, new_fan, new_sale

EXAMPLES = int(os.environ.get("EXAMPLES", "10"))
SLOW = pytest.mark.timeout(120 + 5 * EXAMPLES)

API = schemathesis.openapi.from_dict(read_description())
# A description cannot tell all that may be refused, hence no check that good data is always taken.
CHECKS_OF_ACTS = [check for check in CHECKS.get_all() if check is not positive_data_acceptance]
# Lists take a filter that is left empty, or a size of page that is none, for none at all.
CHECKS_OF_LISTS = [check for check in CHECKS_OF_ACTS if check is not negative_data_rejection]


class Fan:
    """Somebody whom requests can concern, with the names that lead to what is theirs."""

    def __init__(self, sale: Sale, *, name: str) -> None:
        self.user = new_fan(name=name)
        self.names = {"code": "F000000000", "public_id": "00000000-0000-0000-0000-000000000000"}
        self.token = ""
        self.sale = sale
        client = Client()
        client.force_login(self.user)
        self.headers = {"X-Session-Token": client.cookies["sessionid"].value}

    def note(self, order: Order) -> None:
        self.names["code"] = order.code
        self.token = admittance.token_for(Admission.objects.get(pk=order.admission_id))
        for ticket in Ticket.objects.filter(order=order)[:1]:
            self.names["public_id"] = str(ticket.public_id)


def shopper(sale: Sale) -> Fan:
    """Return somebody who holds two tickets."""
    fan = Fan(sale, name="Shopper")
    fan.note(sale.hold(fan.user, floor=2))
    return fan


def payer(sale: Sale) -> Fan:
    """Return somebody who is just paying."""
    fan = shopper(sale)
    order = Order.objects.get(code=fan.names["code"])
    order_services.start_payment(order, holders=["Pat", "Kim"], email=fan.user.email)
    return fan


def owner(sale: Sale) -> Fan:
    """Return somebody who has two tickets."""
    fan = Fan(sale, name="Owner")
    fan.note(sale.buy(fan.user, floor=2))
    return fan


def newcomer(sale: Sale) -> Fan:
    """Return somebody who has not joined."""
    return Fan(sale, name="Newcomer")


def beginner(sale: Sale) -> Fan:
    """Return somebody whose turn has just begun."""
    fan = Fan(sale, name="Beginner")
    fan.token = admittance.token_for(sale.let_in(fan.user))
    return fan


CAST: list[Callable[[Sale], Fan]] = [shopper, payer, owner, newcomer, beginner]


class Scene:
    """A sale with its cast. Whoever has been changed by a request makes room for somebody new."""

    def __init__(self) -> None:
        self.sale = new_sale()
        self.guarded = new_sale(enable_captcha=True)
        Tier.objects.filter(event=self.sale.event).update(quantity=1_000_000)
        self._fans: dict[int, Fan] = {}

    def lead(self, case: Any) -> dict[str, str]:
        """Lead most requests to where something is; return the headers of whoever asks, if anybody."""
        chance = crc32(repr((case.path_parameters, case.query, case.body)).encode())
        part = chance % len(CAST)
        if part not in self._fans:
            self._fans[part] = CAST[part](self.sale)
        fan = self._fans[part]
        if chance // 8 % 5:
            self._name_what_is_there(case, fan)
        if case.method != "GET":
            del self._fans[part]
        return fan.headers if chance // 64 % 5 else {}

    def _name_what_is_there(self, case: Any, fan: Fan) -> None:
        for name in case.path_parameters or {}:
            case.path_parameters[name] = fan.names[name] if name in fan.names else self._slug(case.path)
        # What is wrong on purpose stays so.
        if isinstance(case.body, dict) and not case.meta.is_negative_at(ParameterLocation.BODY):
            self._ask_for_what_can_be(case.body, fan)

    def _slug(self, path: str) -> str:
        if path.endswith("/captcha/"):
            return self.guarded.queue.slug
        return self.sale.event.slug if path.startswith("/api/v1/events/") else self.sale.queue.slug

    def _ask_for_what_can_be(self, body: dict[str, Any], fan: Fan) -> None:
        if "lines" in body and fan.token:
            body["admittance_token"] = fan.token
            body["lines"] = [{"tier": "floor", "quantity": 1 + line["quantity"] % 4} for line in body["lines"][:1]]
        # How many names there must be, the order says.
        body.pop("holders", None)


@pytest.fixture(scope="session")
def tally() -> Iterator[Counter[tuple[str, int]]]:
    """Count what was answered; says so at the end, to whoever reads along (`pytest -s`)."""
    counted: Counter[tuple[str, int]] = Counter()
    yield counted
    for label in sorted({label for label, _ in counted}):
        answers = {status: number for (of, status), number in sorted(counted.items()) if of == label}
        print(f"\n{sum(answers.values()):6} {label}: {', '.join(f'{s} x {n}' for s, n in answers.items())}", end="")


@pytest.fixture
def scene() -> Scene:
    return Scene()


@SLOW
@API.parametrize()
@settings(
    max_examples=EXAMPLES,
    derandomize=True,
    deadline=None,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_server_answers_as_described(case: Any, stack: Stack, scene: Scene, tally: Counter[tuple[str, int]]):
    headers = scene.lead(case)
    answer = case.call(base_url=stack.url, headers=headers)
    tally[case.operation.label, answer.status_code] += 1

    checks = CHECKS_OF_LISTS if case.method == "GET" else CHECKS_OF_ACTS
    case.validate_response(answer, checks=checks, headers=headers)
