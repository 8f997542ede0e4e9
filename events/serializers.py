"""Shapes of what programs are told of events."""

from rest_framework import serializers

LEVELS = ["plenty", "some", "few", "gone"]


class TierAvailabilitySerializer(serializers.Serializer):
    tier = serializers.SlugField(help_text="The tier's short name.")
    available = serializers.IntegerField(min_value=0)
    level = serializers.ChoiceField(LEVELS)


class AvailabilitySerializer(serializers.Serializer):
    tiers = TierAvailabilitySerializer(many=True)
    as_of = serializers.DateTimeField()
