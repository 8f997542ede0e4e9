from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.contract import Public
from accounts.patience import patiently
from events import availability
from events.models import Event
from events.serializers import AvailabilitySerializer


class AvailabilityView(Public):
    """What is left of an event's tiers, at most a few seconds old."""

    @extend_schema(operation_id="event_availability", tags=["events"], responses=AvailabilitySerializer)
    def get(self, request: Request, slug: str) -> Response:
        """Say how much is left of each tier."""
        event = get_object_or_404(Event.objects.published(), slug=slug)
        return Response(AvailabilitySerializer(patiently(availability.read, event)).data)
