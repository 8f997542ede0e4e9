"""Paying for an order."""

from __future__ import annotations

from functools import partial

from django.conf import settings
from django.http import HttpResponse
from django.urls import reverse
from drf_spectacular.utils import extend_schema
from payments import PaymentStatus
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.contract import refuses
from accounts.models import User
from accounts.patience import patiently
from accounts.repeats import Repeatable
from accounts.requests import account_of
from orders import services
from orders.api.orders import own_order
from orders.models import Payment
from orders.refusals import HoldLapsed, OrderNotFound, OrderNotPayable, PaymentDeclined, PaymentUnavailable
from orders.serializers.orders import OrderSerializer, PaidSerializer, PaySerializer


class PayView(Repeatable):
    @extend_schema(operation_id="pay", tags=["orders"], request=PaySerializer, responses=PaidSerializer)
    @refuses(OrderNotFound, HoldLapsed, OrderNotPayable, PaymentDeclined, PaymentUnavailable)
    def post(self, request: Request, code: str) -> HttpResponse:
        """Pay for what is held, and with that accept the purchase rules of the event.

        Free tickets are paid at once. Else the answer says where the fan goes on to pay; card numbers never pass
        through here. While a payment is open, the next call goes on with that one. Play money takes `outcome`:
        `confirm` pays at once, `decline` is refused and the hold goes on, `abandon` leaves the payment open.
        """
        order = own_order(account_of(request), code)
        asked = PaySerializer(data=request.data, context={"order": order})
        asked.is_valid(raise_exception=True)
        given = asked.validated_data
        start = partial(services.start_payment, order, holders=given["holders"], email=given["email"])
        return self.start_once(start, lambda payment: _go_on(account_of(request), payment, given["said"]))


class CancelPaymentView(APIView):
    @extend_schema(operation_id="cancel_payment", tags=["orders"], request=None, responses=OrderSerializer)
    @refuses(OrderNotFound)
    def post(self, request: Request, code: str) -> Response:
        """End an open payment; the hold goes on."""
        patiently(services.cancel_payment, own_order(account_of(request), code))
        return Response(OrderSerializer(own_order(account_of(request), code)).data)


def _go_on(user: User, payment: Payment, said: dict[str, str] | None) -> Response:
    """Go on with a payment that was started, or that has been going on already."""
    onward = None if _has_arrived(payment) else _submit(payment, said)
    if _has_arrived(payment):
        onward = None
        patiently(services.settle_payment, payment)
    order = own_order(user, payment.order.code)
    if onward is None and not order.is_paid:
        # The turn was over, or the event cancelled, at the same instant: the money goes back.
        raise OrderNotPayable
    paid = {"status": "waiting" if onward else "paid", "redirect_url": onward, "order": order}
    return Response(PaidSerializer(paid).data)


def _has_arrived(payment: Payment) -> bool:
    return payment.status == PaymentStatus.CONFIRMED


def _submit(payment: Payment, said: dict[str, str] | None) -> str:
    """Go to the provider; returns where the fan goes on, if nothing has arrived.

    Raises:
        PaymentDeclined: play money was refused.
        PaymentUnavailable: the payment stays open.
    """
    onward = services.submit_payment(payment, said)
    if payment.is_declined:
        raise PaymentDeclined
    if onward is None or onward == payment.return_path():
        # The provider's form stands on a page of ours.
        return settings.SITE_URL + reverse("orders:payment", args=[payment.order.code])
    return onward
