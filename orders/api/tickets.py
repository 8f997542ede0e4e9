"""A fan's tickets."""

from __future__ import annotations

import uuid
from typing import Any

from django.utils import timezone
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.contract import refuses
from accounts.models import User
from accounts.paging import ByCursor
from accounts.requests import account_of
from orders.models import Ticket, TicketQuerySet
from orders.refusals import TicketNotFound
from orders.serializers.orders import TicketFilterSerializer, TicketSerializer


class ByEventDate(ByCursor):
    ordering = ("event__starts_at", "event_id", "pk")


@method_decorator(never_cache, name="dispatch")
class TicketsView(ListAPIView):
    serializer_class = TicketSerializer
    pagination_class = ByEventDate

    def get_queryset(self) -> TicketQuerySet:
        asked = TicketFilterSerializer(data=self.request.query_params)
        asked.is_valid(raise_exception=True)
        named = {"status": "status", "event": "event__slug"}
        chosen = {named[name]: value for name, value in asked.validated_data.items()}
        return _own_tickets(account_of(self.request)).filter(**chosen)

    def get_serializer_context(self) -> dict[str, Any]:
        return {**super().get_serializer_context(), "now": timezone.now()}

    @extend_schema(operation_id="tickets", tags=["tickets"], parameters=[TicketFilterSerializer])
    @refuses(ValidationError)
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List the fan's tickets by the date of their events."""
        return super().get(request, *args, **kwargs)


@method_decorator(never_cache, name="dispatch")
class TicketView(APIView):
    @extend_schema(operation_id="ticket", tags=["tickets"], responses=TicketSerializer)
    @refuses(TicketNotFound)
    def get(self, request: Request, public_id: uuid.UUID) -> Response:
        """Show one ticket; its code only from the release on."""
        ticket = _own_tickets(account_of(request)).filter(public_id=public_id).first()
        if ticket is None:
            raise TicketNotFound
        return Response(TicketSerializer(ticket, context={"now": timezone.now()}).data)


def _own_tickets(user: User) -> TicketQuerySet:
    return Ticket.objects.for_owner(user).select_related("event", "tier", "order")
