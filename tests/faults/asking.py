"""A program's request, done by a process of its own that may be killed: `python -m tests.faults.asking hold|pay ...`.

`hold <fan> <token>` holds one ticket, `pay <order>` pays with play money; both with the same `Idempotency-Key`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable

import django

if __name__ == "__main__":
    django.setup()

from accounts.idempotency import Answer, Asked, create_once, hash_request, start_once
from accounts.models import User
from orders import services
from orders.models import Order, Payment

ASKED = hash_request("POST", "/", b"{}")


def hold(fan: str, token: str) -> Answer:
    user = User.objects.get(pk=fan)
    return create_once(
        Asked(user, "first try", ASKED),
        lambda: Answer(201, services.hold_tickets(user=user, token=token, wanted={"floor": 1}).code),
    )


def pay(number: str) -> Answer:
    order = Order.objects.select_related("buyer", "event").get(pk=number)
    holders = [f"Guest {guest}" for guest in range(order.ticket_count())]
    return start_once(
        Asked(order.buyer, "first try", ASKED),
        lambda: services.start_payment(order, holders=holders, email=order.buyer.email),
        lambda payment: confirm(order, payment),
    )


def confirm(order: Order, payment: Payment) -> Answer:
    services.submit_payment(payment, {"outcome": "confirm"})
    services.settle_order(order)
    return Answer(200, str(payment.pk))


ACTS: dict[str, Callable[..., Answer]] = {"hold": hold, "pay": pay}

if __name__ == "__main__":
    ACTS[sys.argv[1]](*sys.argv[2:])
