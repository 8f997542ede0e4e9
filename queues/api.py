from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.generics import GenericAPIView
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.contract import Public, refuses
from accounts.paging import ByCursor
from accounts.patience import patiently
from events.serializers import AvailabilitySerializer
from queues import board, services
from queues.cookies import read_fan, remember_visitor
from queues.models import Queue
from queues.refusals import AccountRequired
from queues.serializers import (
    BoardSerializer,
    ChallengeSerializer,
    EventCardSerializer,
    EventInFullSerializer,
    EventSearchSerializer,
    QueueSerializer,
)
from queues.visitors import Visitor


class SoonestFirst(ByCursor):
    ordering = services.SOONEST_FIRST


class EventsView(GenericAPIView):
    """The events to come."""

    permission_classes = (AllowAny,)
    pagination_class = SoonestFirst
    serializer_class = EventCardSerializer

    @extend_schema(
        operation_id="events",
        tags=["events"],
        parameters=[EventSearchSerializer],
        responses=EventCardSerializer(many=True),
    )
    @refuses(ValidationError)
    def get(self, request: Request) -> Response:
        """List the events to come, soonest first."""
        search = EventSearchSerializer(data=request.query_params)
        search.is_valid(raise_exception=True)
        now = timezone.now()
        events = services.events_to_come(services.Search(**search.validated_data), now=now)
        page = patiently(self.paginate_queryset, events)
        cards = [services.card_of(event, now=now) for event in page or ()]
        return self.get_paginated_response(self.get_serializer(cards, many=True).data)


class EventView(Public):
    """One event."""

    @extend_schema(operation_id="event", tags=["events"], responses=EventInFullSerializer)
    def get(self, request: Request, slug: str) -> Response:
        """Tell an event with its rules, tiers and queues."""
        event = get_object_or_404(services.events_in_full(), slug=slug)
        shown = patiently(services.describe_event, event, now=timezone.now())
        return Response(EventInFullSerializer(shown).data)


class QueueView(Public):
    """One queue, as fans may know it."""

    @extend_schema(operation_id="queue", tags=["queues"], responses=QueueSerializer)
    def get(self, request: Request, slug: str) -> Response:
        """Tell where a queue stands and what it asks of whoever joins."""
        queue = get_object_or_404(services.queues_in_full(), slug=slug)
        shown = patiently(services.describe_queue, queue, now=timezone.now())
        return Response(QueueSerializer(shown).data)


class BoardView(Public):
    """The board; usually answered before Django begins, see config/wsgi.py."""

    @extend_schema(operation_id="queue_board", tags=["queues"], responses=BoardSerializer)
    def get(self, request: Request, slug: str) -> HttpResponse:
        """Tell the public snapshot of a queue, the same for everyone."""
        snapshot = patiently(services.board_json, slug)
        if snapshot is None:
            raise Http404
        return HttpResponse(snapshot, content_type="application/json", headers={"ETag": board.etag_of(snapshot)})

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        answer = super().dispatch(request, *args, **kwargs)
        # Here, because an answer without a body keeps nothing that was set before.
        answer.headers["Access-Control-Allow-Origin"] = "*"
        return answer


class AvailabilityView(Public):
    """What is left for a queue, at most a few seconds old."""

    @extend_schema(operation_id="queue_availability", tags=["queues"], responses=AvailabilitySerializer)
    def get(self, request: Request, slug: str) -> Response:
        """Say how much is left of each tier for a queue that may give so many tickets only."""
        queue = get_object_or_404(Queue.objects.published().select_related("event"), slug=slug)
        return Response(AvailabilitySerializer(patiently(services.read_availability, queue)).data)


@method_decorator(never_cache, name="dispatch")
class CaptchaView(APIView):
    """The sum that keeps programs out."""

    permission_classes = (AllowAny,)

    @extend_schema(operation_id="queue_captcha", tags=["queues"], responses=ChallengeSerializer)
    @refuses(AccountRequired)
    def get(self, request: Request, slug: str) -> HttpResponse:
        """Give a challenge to the fan who is signed in, or else to the visitor; nothing of it is kept."""
        queue = get_object_or_404(Queue.objects.published(), slug=slug, enable_captcha=True)
        if queue.require_authentication and not request.user.is_authenticated:
            raise AccountRequired
        fan = read_fan(request)
        if fan is not None:
            return Response(ChallengeSerializer(services.new_challenge(queue, fan)).data)
        visitor = Visitor()
        challenge = Response(ChallengeSerializer(services.new_challenge(queue, visitor)).data)
        return remember_visitor(challenge, visitor)
