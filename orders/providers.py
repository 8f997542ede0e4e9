"""Play money: django-payments' dummy provider, driven by one word."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from django.db import models
from django.utils.translation import gettext_lazy as _
from payments import PaymentStatus, RedirectNeeded
from payments.dummy import DummyProvider

if TYPE_CHECKING:
    from orders.models import Payment


class Outcome(models.TextChoices):
    """What becomes of a payment with play money."""

    CONFIRM = "confirm", _("Pay")
    DECLINE = "decline", _("Let it be declined")
    ABANDON = "abandon", _("Walk away")


class PlayMoneyProvider(DummyProvider):
    """Takes `{"outcome": ...}`: `confirm` pays, `decline` refuses, `abandon` leaves the payment open."""

    def get_form(self, payment: Payment, data: Mapping[str, str] | None = None) -> Any:
        outcome = (data or {}).get("outcome")
        if outcome is None:
            return super().get_form(payment)
        if outcome == Outcome.CONFIRM and payment.status != PaymentStatus.CONFIRMED:
            payment.captured_amount = payment.total
            payment.save(update_fields=["captured_amount"])
            payment.change_status(PaymentStatus.CONFIRMED)
        if outcome == Outcome.DECLINE and payment.status in {PaymentStatus.WAITING, PaymentStatus.INPUT}:
            payment.change_status(PaymentStatus.REJECTED)
        raise RedirectNeeded(payment.get_success_url())

    def refund(self, payment: Payment, amount: Any = None) -> Any:
        return amount or payment.captured_amount
