"""Shapes of what programs are told of events."""

from rest_framework import serializers

from accounts.contract import looks_like

LEVELS = ["plenty", "some", "few", "gone"]


class TierAvailabilitySerializer(serializers.Serializer):
    tier = serializers.SlugField(help_text="The tier's short name.")
    available = serializers.IntegerField(min_value=0)
    level = serializers.ChoiceField(LEVELS)


@looks_like(
    {"tiers": [{"tier": "floor", "available": 212, "level": "some"}], "as_of": "2026-05-04T10:00:07.512Z"},
)
class AvailabilitySerializer(serializers.Serializer):
    tiers = TierAvailabilitySerializer(many=True)
    as_of = serializers.DateTimeField()
