"""Shapes of the line: what is shown at the door, and the journey."""

from __future__ import annotations

from django.core.validators import RegexValidator
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from accounts.contract import looks_like
from accounts.parsing import TextField
from orders import examples
from queues.captcha import LONGEST
from queues.conditions import CARD_DIGITS, CODE_LENGTH
from queues.journey import Journey, Stage
from queues.stages import EndReason, Phase


@looks_like(examples.ENTRY)
class EntrySerializer(serializers.Serializer):
    """What a queue may ask at its door; nothing is required here, because the service says what is missing."""

    access_code = TextField(
        source="code",
        default="",
        allow_blank=True,
        trim_whitespace=False,
        max_length=CODE_LENGTH,
        help_text="A presale's code. One that was shown before need not be shown again.",
    )
    card_prefix = TextField(
        default="",
        allow_blank=True,
        trim_whitespace=False,
        validators=[RegexValidator(r"^([0-9]{6,8})?\Z", _("Please enter the first six to eight digits, and no more."))],
        max_length=CARD_DIGITS,
        help_text="How the number of a card begins: compared, and never kept.",
    )
    captcha = TextField(
        default="",
        allow_blank=True,
        trim_whitespace=False,
        max_length=LONGEST,
        help_text="The solution of a challenge as ALTCHA writes it: the JSON of algorithm, challenge, number, salt and "
        "signature, in Base64. It serves once.",
    )


@looks_like(examples.READINESS)
class ReadinessSerializer(serializers.Serializer):
    ready = serializers.BooleanField(help_text="Whether joining would ask for nothing more.")
    missing = serializers.ListField(
        child=serializers.CharField(), help_text="The codes that joining would be refused with, in its order."
    )


class WaitRangeSerializer(serializers.Serializer):
    low = serializers.IntegerField(min_value=0)
    high = serializers.IntegerField(min_value=0, allow_null=True, help_text="Null while it cannot be known.")


@looks_like(examples.JOURNEY)
class JourneySerializer(serializers.Serializer):
    stage = serializers.ChoiceField(Stage.choices)
    phase = serializers.ChoiceField(Phase.choices)
    place = serializers.IntegerField(allow_null=True, help_text="Orders the line; it does not change.")
    position = serializers.IntegerField(allow_null=True, min_value=1, help_text="1 is let in next.")
    people_ahead = serializers.IntegerField(allow_null=True, min_value=0)
    estimated_wait_seconds = WaitRangeSerializer(source="estimated_wait", allow_null=True)
    queue_size = serializers.IntegerField(min_value=0, help_text="How many wait.")
    starts_at = serializers.DateTimeField(help_text="When the queue opens.")
    admittance_token = serializers.CharField(allow_null=True, help_text="What holding tickets takes, once admitted.")
    admittance_expires_at = serializers.DateTimeField(allow_null=True)
    order = serializers.SerializerMethodField(help_text="The code of what is held, or was bought.")
    reason = serializers.ChoiceField(
        EndReason.choices, allow_blank=True, help_text="Why there is no turn, or nothing to buy; else empty."
    )

    def get_order(self, journey: Journey) -> str | None:
        return journey.order_code or None
