"""A person's own data: read by its owner, and taken away when the account is closed."""

from __future__ import annotations

import json
import re
from collections.abc import Collection
from typing import Any

from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.db.models import Q, QuerySet

from accounts import closing, locks
from accounts import own_data as accounts_data
from accounts.models import User
from orders.models import Order, Payment, Ticket
from orders.own_data import of_purchases
from orders.refusals import StillHasTickets, StillInLine, StillPaying
from queues import services as queue_services
from queues.models import Admission
from queues.own_data import of_lines

# What Stripe, PayPal and their like call the parts of their answers that are about the payer.
ABOUT_A_PERSON = re.compile("customer|payer|billing|shipping|recipient|email|name|phone|address", re.IGNORECASE)
# In a sentence, before its full stop.
ADDRESS = re.compile(r"[^\s@]+@[^\s@]*[^\s@.]")


@transaction.atomic
def read_own_data(user: User) -> dict[str, Any]:
    """Return everything that is kept of a person, in plain values."""
    return {**accounts_data.of_account(user, letters=_letters_to(user)), **of_lines(user), **of_purchases(user)}


@transaction.atomic(durable=True)
def close_account(user: User) -> None:
    """Close the account and take the person out of everything that has to be kept, all or nothing.

    Orders keep their amounts and dates, admissions their numbers. The address is free for a new account.

    Raises:
        AccountClosed, AccountOfStaff
        StillPaying, StillInLine, StillHasTickets: something would be lost that the fan still needs.
        Nothing is changed in any of these cases.
    """
    # The gates: no hold ends, and no money becomes tickets, while this looks.
    queue_services.open_allowances_of(user)
    # And nobody joins a line: without a place in line there is no hold.
    locks.take_account(user.pk)
    check_may_close(user)
    letters = _letters_to(user)
    _forget_purchases(user)
    queue_services.forget_fan(user)
    closing.erase_person(user, letters=letters)


def check_may_close(user: User) -> None:
    """Raises:
    AccountClosed, AccountOfStaff, StillPaying, StillInLine, StillHasTickets
    """
    closing.check_is_open(user)
    closing.check_is_no_staff(user)
    if Payment.objects.filter(order__buyer=user).unsettled().exists():
        raise StillPaying
    if Admission.objects.for_fan(user).live().exists():
        raise StillInLine
    if Ticket.objects.for_owner(user).for_coming_events().exists():
        raise StillHasTickets


def _letters_to(user: User) -> Q:
    orders = list(Order.objects.for_buyer(user).exclude(email="").values_list("pk", "code", "email"))
    contacts = {email for _pk, _code, email in orders}
    # Where letters went before staff corrected the address.
    for said in _log_of([pk for pk, _code, _email in orders]).values_list("change_message", flat=True):
        contacts.update(ADDRESS.findall(said))
    return closing.letters_to(user, numbers=[code for _pk, code, _email in orders], contacts=contacts)


def _forget_purchases(user: User) -> None:
    orders = Order.objects.for_buyer(user)
    _log_of(orders.values_list("pk", flat=True)).update(change_message="")
    orders.update(holders=[], email="")
    Ticket.objects.for_owner(user).update(holder_name="")
    payments = Payment.objects.filter(order__buyer=user)
    for pk, said in payments.values_list("pk", "extra_data"):
        Payment.objects.filter(pk=pk).update(extra_data=_without_person(said))
    payments.update(
        billing_first_name="",
        billing_last_name="",
        billing_address_1="",
        billing_address_2="",
        billing_city="",
        billing_postcode="",
        billing_country_code="",
        billing_country_area="",
        billing_email="",
        billing_phone="",
        customer_ip_address=None,
        message="",
    )


def _without_person(said: str) -> str:
    """Return what a provider has said of a payment, in JSON, without whom it was about.

    What the provider calls the payment stays: money may still have to go back.
    """
    try:
        kept = json.loads(said)
    except ValueError:
        return ""
    return json.dumps(_without_names(kept)) if isinstance(kept, dict | list) else ""


def _without_names(said: Any) -> Any:
    if isinstance(said, dict):
        return {key: _without_names(value) for key, value in said.items() if not ABOUT_A_PERSON.search(key)}
    if isinstance(said, list):
        return [_without_names(value) for value in said]
    # Some is JSON in JSON.
    return _without_person(said) if isinstance(said, str) and said[:1] in {"{", "["} else said


def _log_of(orders: Collection[int]) -> QuerySet[LogEntry]:
    """Return what the audit log says of addresses of the orders."""
    kind = ContentType.objects.get_for_model(Order)
    entries = LogEntry.objects.filter(content_type=kind, object_id__in=[str(pk) for pk in orders])
    return entries.filter(change_message__contains="@")
