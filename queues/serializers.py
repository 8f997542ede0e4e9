"""Shapes of what programs are told of events with their sales, and of queues; and of what events are searched by."""

from typing import Any

from django.conf import settings
from django.urls import reverse
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts.contract import looks_like
from events.serializers import LEVELS
from queues import examples
from queues.models import Phase, Queue
from queues.sales import SalePhase


def amount(**options: Any) -> serializers.DecimalField:
    """Return the field of an amount: with its fee, the highest price that a tier can have has ten digits."""
    return serializers.DecimalField(max_digits=12, decimal_places=2, **options)


class EventSearchSerializer(serializers.Serializer):
    """What the list of events can be searched by."""

    q = serializers.CharField(
        max_length=100, required=False, allow_blank=True, help_text="Words of the event's name, venue or city."
    )
    city = serializers.CharField(max_length=100, required=False, allow_blank=True, help_text="A part of its name.")
    after = serializers.DateField(required=False, help_text="The first day, in UTC.")
    before = serializers.DateField(required=False, help_text="The last day, in UTC.")


class VenueSerializer(serializers.Serializer):
    name = serializers.CharField()
    city = serializers.CharField()


@looks_like(examples.CARD)
class EventCardSerializer(serializers.Serializer):
    """An event as the list shows it."""

    slug = serializers.SlugField(source="event.slug")
    name = serializers.CharField(source="event.name")
    starts_at = serializers.DateTimeField(source="event.starts_at")
    doors_at = serializers.DateTimeField(source="event.doors_at")
    time_zone = serializers.CharField(source="event.time_zone", help_text="Of the place, as America/New_York.")
    venue = VenueSerializer(source="event.venue")
    sale_phase = serializers.ChoiceField(SalePhase.choices, help_text="Over all its queues.")
    currency = serializers.CharField(source="event.currency")
    lowest_price = amount(allow_null=True, help_text="Of one ticket, with its fee; null before tiers are announced.")
    image = serializers.SerializerMethodField()
    url = serializers.SerializerMethodField(help_text="The event's page.")

    @extend_schema_field(serializers.URLField(allow_null=True))
    def get_image(self, shown: Any) -> str | None:
        image = shown.event.image
        return settings.SITE_URL + image.url if image else None

    @extend_schema_field(serializers.URLField())
    def get_url(self, shown: Any) -> str:
        return settings.SITE_URL + reverse("queues:event", args=[shown.event.slug])


class OfferSerializer(serializers.Serializer):
    tier = serializers.SlugField(source="tier.slug", help_text="The tier's short name.")
    name = serializers.CharField(source="tier.name")
    description = serializers.CharField(source="tier.description")
    perks = serializers.ListField(source="tier.perks", child=serializers.CharField())
    price = amount(help_text="Of one ticket, without the fee.")
    service_fee = amount(source="fee")
    price_with_fee = amount()
    release_at = serializers.DateTimeField(
        source="tier.release_at", allow_null=True, help_text="Where it goes on sale later than the sale opens."
    )
    available = serializers.IntegerField(min_value=0)
    level = serializers.ChoiceField(LEVELS)


class SaleSerializer(serializers.Serializer):
    """A queue of an event, as the event's page shows it."""

    slug = serializers.SlugField(source="queue.slug")
    name = serializers.CharField(source="queue.name")
    kind = serializers.ChoiceField(Queue.Kind.choices, source="queue.kind")
    phase = serializers.ChoiceField(Phase.choices)
    starts_at = serializers.DateTimeField(source="queue.scheduled_start")
    ends_at = serializers.DateTimeField(source="queue.scheduled_end", allow_null=True)


@looks_like(examples.EVENT)
class EventInFullSerializer(EventCardSerializer):
    """An event with its rules, tiers and queues."""

    organizer = serializers.CharField(source="event.organizer.name")
    description = serializers.CharField(source="event.description")
    is_cancelled = serializers.BooleanField(source="event.is_cancelled")
    max_tickets_per_order = serializers.IntegerField(source="event.max_tickets_per_order")
    max_orders_per_customer = serializers.IntegerField(source="event.max_orders_per_customer")
    require_identification = serializers.BooleanField(
        source="event.require_identification", help_text="Verified before joining, and shown at the door."
    )
    tickets_non_transferable = serializers.BooleanField(source="event.tickets_non_transferable")
    require_buyer_attendance = serializers.BooleanField(source="event.require_buyer_attendance")
    tickets_released_at = serializers.DateTimeField(
        source="event.tickets_released_at", help_text="When the codes of tickets appear."
    )
    tiers = OfferSerializer(source="offers", many=True)
    queues = SaleSerializer(source="sales", many=True)


class RequirementsSerializer(serializers.Serializer):
    """What a queue asks of whoever joins."""

    account = serializers.BooleanField(help_text="Without it anybody can join, and needs an account to buy.")
    verified_email = serializers.BooleanField()
    verified_identity = serializers.BooleanField()
    access_code = serializers.BooleanField()
    card = serializers.BooleanField(help_text="One of `cards`: its first six to eight digits.")
    invitation = serializers.BooleanField()
    captcha = serializers.BooleanField(help_text="A solved challenge of `captcha/`.")


@looks_like(examples.QUEUE)
class QueueSerializer(serializers.Serializer):
    slug = serializers.SlugField(source="queue.slug")
    name = serializers.CharField(source="queue.name")
    kind = serializers.ChoiceField(Queue.Kind.choices, source="queue.kind")
    event = serializers.SlugField(source="queue.event.slug")
    phase = serializers.ChoiceField(Phase.choices)
    starts_at = serializers.DateTimeField(source="queue.scheduled_start")
    ends_at = serializers.DateTimeField(source="queue.scheduled_end", allow_null=True)
    message = serializers.CharField(source="queue.message", help_text="From the organizer to the line.")
    tiers = serializers.ListField(child=serializers.SlugField(), help_text="Short names of the tiers that it opens.")
    max_tickets_per_order = serializers.IntegerField(source="queue.event.max_tickets_per_order")
    requires = RequirementsSerializer()
    cards = serializers.ListField(child=serializers.CharField(), help_text="Whose holders can join, where it asks.")


class RateSerializer(serializers.Serializer):
    low = serializers.FloatField(min_value=0)
    high = serializers.FloatField(min_value=0)


class TierLevelSerializer(serializers.Serializer):
    tier = serializers.SlugField(help_text="The tier's short name.")
    level = serializers.ChoiceField(LEVELS)


@looks_like(examples.BOARD)
class BoardSerializer(serializers.Serializer):
    """The public snapshot of a queue, the same for everyone; it says how to work out one's own position."""

    as_of = serializers.DateTimeField()
    phase = serializers.ChoiceField(Phase.choices)
    opens_at = serializers.DateTimeField()
    closes_at = serializers.DateTimeField(allow_null=True)
    waiting = serializers.IntegerField(min_value=0, help_text="How many people stand in line.")
    admitted = serializers.IntegerField(min_value=0, help_text="How many people are inside.")
    admitted_through = serializers.IntegerField(help_text="Nobody with a place up to this one waits any more.")
    places_given = serializers.IntegerField(help_text="The last place given when the board was made.")
    marks = serializers.ListField(
        child=serializers.ListField(child=serializers.IntegerField(), min_length=2, max_length=2),
        help_text="Pairs of a place and the number of people ahead of it, ascending. Between two the line is even.",
    )
    rate = RateSerializer(help_text="How many are let in a minute.")
    held_up_by = serializers.ChoiceField(
        ["stock", "room"], allow_blank=True, help_text="Why nobody is let in just now; empty where the line moves."
    )
    tiers = TierLevelSerializer(many=True)
    message = serializers.CharField(help_text="From the organizer to the line.")
    near_seconds = serializers.FloatField(help_text="How soon to ask again for the first in line.")
    far_seconds = serializers.FloatField(help_text="How soon to ask again for the last in line.")


@looks_like(examples.CHALLENGE)
class ChallengeSerializer(serializers.Serializer):
    """A challenge in the words of ALTCHA: find the number up to `maxNumber` whose hash, with the salt, it names."""

    algorithm = serializers.CharField()
    challenge = serializers.CharField()
    maxNumber = serializers.IntegerField()  # noqa: N815 - ALTCHA's own word
    salt = serializers.CharField()
    signature = serializers.CharField()
