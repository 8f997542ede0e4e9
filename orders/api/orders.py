"""A fan's orders: holding tickets, looking, giving back."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.http import HttpResponse
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.contract import Polled, refuses
from accounts.models import User
from accounts.paging import ByCursor
from accounts.patience import patiently
from accounts.repeats import Repeatable
from accounts.requests import account_of
from events.services import NotEnoughTickets, SoldOut, TierNotFound
from orders import services
from orders.models import Order, OrderQuerySet
from orders.refusals import (
    HoldLapsed,
    NothingChosen,
    OrderNotFound,
    OrderNotHeld,
    OrderTooLarge,
    PaymentInProgress,
    TierNotReleased,
)
from orders.serializers.orders import HoldSerializer, OrderFilterSerializer, OrderSerializer
from queues.refusals import (
    AdmittanceExpired,
    AdmittanceInvalid,
    EmailNotVerified,
    IdentityNotVerified,
    NoneLeftInQueue,
    OrderLimitReached,
    TicketLimitReached,
    TooFewLeftInQueue,
)


class NewestFirst(ByCursor):
    ordering = ("-pk",)


@method_decorator(never_cache, name="dispatch")
class OrdersView(Repeatable, ListAPIView):
    serializer_class = OrderSerializer
    pagination_class = NewestFirst

    def get_queryset(self) -> OrderQuerySet:
        asked = OrderFilterSerializer(data=self.request.query_params)
        asked.is_valid(raise_exception=True)
        named = {"status": "status_now", "event": "event__slug"}
        chosen = {named[name]: value for name, value in asked.validated_data.items()}
        return own_orders(account_of(self.request)).filter(**chosen).prefetch_related("tickets")

    @extend_schema(operation_id="orders", tags=["orders"], parameters=[OrderFilterSerializer])
    @refuses(ValidationError)
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List the fan's orders, newest first."""
        return super().get(request, *args, **kwargs)

    @extend_schema(operation_id="hold", tags=["orders"], request=HoldSerializer, responses={201: OrderSerializer})
    @refuses(
        AdmittanceInvalid,
        AdmittanceExpired,
        NothingChosen,
        TierNotFound,
        TierNotReleased,
        OrderTooLarge,
        OrderLimitReached,
        TicketLimitReached,
        EmailNotVerified,
        IdentityNotVerified,
        SoldOut,
        NotEnoughTickets,
        NoneLeftInQueue,
        TooFewLeftInQueue,
        PaymentInProgress,
    )
    def post(self, request: Request) -> HttpResponse:
        """Hold tickets, all that are asked for or none.

        Choosing again makes a new order and ends the hold before; choosing the same again changes nothing.
        """
        asked = HoldSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        user, token = account_of(request), asked.validated_data["admittance_token"]
        hold = partial(services.hold_tickets, user=user, token=token, wanted=asked.wanted())
        return self.create_once(hold, lambda order: _held(user, order))


def _held(user: User, order: Order) -> Response:
    shown = OrderSerializer(own_order(user, order.code)).data
    return Response(shown, status=201, headers={"Location": reverse("orders:api-order", args=[order.code])})


class OrderView(Polled):
    @extend_schema(operation_id="order", tags=["orders"], responses=OrderSerializer)
    @refuses(OrderNotFound)
    def get(self, request: Request, code: str) -> Response:
        """Show one order."""
        return Response(OrderSerializer(own_order(account_of(request), code)).data)

    @extend_schema(operation_id="give_back", tags=["orders"], responses={204: None})
    @refuses(OrderNotFound, PaymentInProgress, HoldLapsed, OrderNotHeld)
    def delete(self, request: Request, code: str) -> Response:
        """Give a hold back; the turn goes on."""
        patiently(services.release_order, own_order(account_of(request), code))
        return Response(status=204)


def own_orders(user: User) -> OrderQuerySet:
    """Return the fan's orders with what is shown of them."""
    return Order.objects.for_buyer(user).select_related("event", "queue", "buyer").with_lines().as_of_now()


def own_order(user: User, code: str) -> Order:
    """Return one of the fan's orders as it is now.

    Raises:
        OrderNotFound: there is none with this code, or it is another fan's.
    """
    order = own_orders(user).filter(code=code).first()
    if order is None:
        raise OrderNotFound
    return order
