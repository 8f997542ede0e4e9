"""Play money: django-payments' dummy provider, driven by one word."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.db import models
from django.db.models import F
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext_lazy as _
from payments import PaymentError, PaymentStatus, RedirectNeeded
from payments.dummy import DummyProvider

from orders.models import Payment


class Outcome(models.TextChoices):
    """What becomes of a payment with play money."""

    CONFIRM = "confirm", _("Pay")
    DECLINE = "decline", _("Let it be declined")
    ABANDON = "abandon", _("Walk away")


class PlayMoneyProvider(DummyProvider):
    """Takes `{"outcome": ...}`: `confirm` pays, `decline` refuses, `abandon` leaves the payment open.

    What it says is said once: a payment that is confirmed or declined stays so, whatever an older tab sends after. One
    that was cancelled here can still be confirmed, as with a real provider whose customer was faster.
    """

    def get_form(self, payment: Payment, data: Mapping[str, str] | None = None) -> Any:
        own = Payment.objects.filter(pk=payment.pk)
        match (data or {}).get("outcome"):
            case Outcome.CONFIRM:
                unsaid = own.exclude(
                    status__in=[PaymentStatus.CONFIRMED, PaymentStatus.REJECTED, PaymentStatus.REFUNDED]
                )
                unsaid.update(status=PaymentStatus.CONFIRMED, captured_amount=F("total"))
            case Outcome.DECLINE:
                own.in_progress().update(status=PaymentStatus.REJECTED)
            case Outcome.ABANDON:
                pass
            case _:
                own.filter(status=PaymentStatus.WAITING).update(status=PaymentStatus.INPUT)
                return None
        payment.refresh_from_db()
        raise RedirectNeeded(payment.return_path())

    def process_data(self, payment: Payment, request: HttpRequest) -> HttpResponse:
        """Send the browser back to its order: nobody calls play money back, and an address confirms nothing."""
        return HttpResponseRedirect(payment.return_path())

    def get_token_from_request(self, payment: Payment | None, request: HttpRequest) -> str:
        raise PaymentError("Play money is not called back.", code=400)

    def refund(self, payment: Payment, amount: Decimal | None = None) -> Decimal:
        return amount or payment.captured_amount
