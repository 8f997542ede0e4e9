"""Two endpoints made of the real services, as addresses of their own: one creates, the other pays."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import path
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.response import Response
from rest_framework.views import APIView

import config.urls
from accounts.patience import patiently
from accounts.repeats import Repeatable
from orders import services
from orders.models import Order, Payment
from orders.refusals import PaymentDeclined
from tests.factories import LetterFactory


class LettersView(Repeatable):
    """Not once by itself: each call writes another letter."""

    permission_classes = [AllowAny]

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def post(self, request: Any) -> HttpResponse:
        return self.create_once(
            partial(LetterFactory, subject=request.data["subject"]),
            lambda letter: Response({"id": letter.pk, "subject": letter.subject}, 201, headers={"Location": "/a/"}),
        )


class PlainView(APIView):
    """No endpoint that creates."""

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def post(self, request: Any) -> Response:
        return Response({})


class HoldView(Repeatable):
    def post(self, request: Any) -> HttpResponse:
        hold = partial(services.hold_tickets, user=request.user, token=request.data["token"])
        return self.create_once(
            partial(hold, wanted=request.data["wanted"]), lambda order: Response({"code": order.code}, 201)
        )


class PayView(Repeatable):
    def post(self, request: Any, code: str) -> HttpResponse:
        order = get_object_or_404(Order.objects.for_buyer(request.user).select_related("buyer", "event"), code=code)
        start = partial(services.start_payment, order, holders=request.data["holders"], email=request.user.email)
        return self.start_once(start, partial(self.finish, {"outcome": request.data["outcome"]}))

    def finish(self, sent: dict[str, str], payment: Payment) -> Response:
        services.submit_payment(payment, sent)
        payment.refresh_from_db()
        if payment.is_declined:
            raise PaymentDeclined
        patiently(services.settle_order, payment.order)
        return Response({"status": Order.objects.get(pk=payment.order_id).status, "payment": payment.pk})


urlpatterns = [
    path("api/v1/letters/", LettersView.as_view()),
    path("api/v1/notes/", LettersView.as_view()),
    path("api/v1/orders/", HoldView.as_view()),
    path("api/v1/orders/<str:code>/pay/", PayView.as_view()),
    *config.urls.urlpatterns,
]
