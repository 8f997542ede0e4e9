"""Shapes of orders, of paying them, and of tickets."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _
from rest_framework import serializers

from accounts.contract import looks_like
from accounts.models import EMAIL_LENGTH
from accounts.parsing import TextField, WholeNumberField
from orders import examples
from orders.models import HOLDER_LENGTH, Order, Ticket
from orders.providers import Outcome

# What a line's quantity can be at all; how many one may have, the sale says.
MOST = 32_767
MOST_LINES = 100


class WantedSerializer(serializers.Serializer):
    tier = TextField(max_length=60, help_text="The tier's short name.")
    quantity = WholeNumberField(min_value=1, max_value=MOST)


@looks_like(examples.HOLD)
class HoldSerializer(serializers.Serializer):
    admittance_token = TextField(max_length=500, help_text="From the journey, once it is one's turn.")
    lines = serializers.ListField(child=WantedSerializer(), max_length=MOST_LINES, help_text="Each tier once.")

    def validate_lines(self, lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
        if len({line["tier"] for line in lines}) < len(lines):
            raise serializers.ValidationError(_("Please name each tier once."))
        return lines

    def wanted(self) -> dict[str, int]:
        """Return the numbers asked for, by the tier's short name."""
        return {line["tier"]: line["quantity"] for line in self.validated_data["lines"]}


class LineSerializer(serializers.Serializer):
    tier = serializers.SlugField(source="tier.slug", help_text="The tier's short name.")
    name = serializers.CharField(source="tier.name")
    quantity = serializers.IntegerField(min_value=1)
    price = serializers.DecimalField(
        source="unit_price", max_digits=9, decimal_places=2, help_text="Of one ticket, without the fee."
    )
    service_fee = serializers.DecimalField(
        source="unit_fee", max_digits=9, decimal_places=2, help_text="For one ticket."
    )


@looks_like(examples.ORDER)
class OrderSerializer(serializers.Serializer):
    """What a fan holds or has bought; `status` is `held` until it is paid or its time is over."""

    code = serializers.CharField(help_text="The confirmation number.")
    status = serializers.ChoiceField(Order.Status.choices, source="status_now")
    event = serializers.SlugField(source="event.slug")
    queue = serializers.SlugField(source="queue.slug")
    currency = serializers.CharField(min_length=3, max_length=3)
    lines = LineSerializer(many=True, source="lines.all")
    subtotal = serializers.DecimalField(max_digits=12, decimal_places=2, help_text="All tickets, without the fee.")
    service_fee = serializers.DecimalField(max_digits=12, decimal_places=2)
    total = serializers.DecimalField(max_digits=12, decimal_places=2)
    hold_ends_at = serializers.DateTimeField(help_text="Until then the tickets are held for this fan.")
    holders = serializers.ListField(
        child=serializers.CharField(), help_text="One name a ticket, in the order of the lines; empty before paying."
    )
    email = serializers.EmailField(source="contact_email", help_text="Where letters about the order go.")
    created_at = serializers.DateTimeField()
    paid_at = serializers.DateTimeField(allow_null=True)
    tickets = serializers.SerializerMethodField(help_text="The ids of the tickets, once they are paid.")

    def get_tickets(self, order: Order) -> list[str]:
        if order.paid_at is None:
            return []
        return [str(ticket.public_id) for ticket in sorted(order.tickets.all(), key=lambda ticket: ticket.pk)]


class OrderFilterSerializer(serializers.Serializer):
    status = serializers.ChoiceField(Order.Status.choices, required=False)
    event = serializers.CharField(required=False, help_text="The short name of an event.")


class PaymentChoiceSerializer(serializers.Serializer):
    variant = TextField(required=False, help_text="Who takes the money. There is one: leave it out.")
    outcome = serializers.ChoiceField(
        Outcome.choices, required=False, help_text="Play money alone: what becomes of the payment."
    )

    def validate_variant(self, variant: str) -> str:
        if variant != settings.PAYMENT_VARIANT:
            raise serializers.ValidationError(_("There is no such way to pay."))
        return variant


@looks_like(examples.PAY)
class PaySerializer(serializers.Serializer):
    """Who the tickets are for; made for an order, in the context."""

    holders = serializers.ListField(
        child=TextField(max_length=HOLDER_LENGTH),
        required=False,
        help_text="One name a ticket, in the order of the lines; else those given before, or the buyer's on each.",
    )
    email = serializers.EmailField(
        max_length=EMAIL_LENGTH, required=False, help_text="Else the one given before, or the account's."
    )
    payment = PaymentChoiceSerializer(required=False)

    def validate(self, given: dict[str, Any]) -> dict[str, Any]:
        order: Order = self.context["order"]
        holders = given.get("holders", order.holder_names())
        if order.is_held and (len(holders) != order.ticket_count() or not all(holders)):
            raise serializers.ValidationError(
                {"holders": [_("Please give one name for each ticket: %d in all.") % order.ticket_count()]}
            )
        email = given.get("email", order.contact_email)
        return {"holders": holders, "email": email, "said": _said(given.get("payment", {}))}


def _said(payment: dict[str, str]) -> dict[str, str] | None:
    """Return what is said to the provider, which is nothing but what becomes of play money."""
    return {"outcome": payment["outcome"]} if "outcome" in payment else None


@looks_like(examples.PAID)
class PaidSerializer(serializers.Serializer):
    status = serializers.ChoiceField(["paid", "waiting"])
    redirect_url = serializers.URLField(allow_null=True, help_text="Where the fan goes on to pay, while waiting.")
    order = OrderSerializer()


@looks_like(examples.TICKET)
class TicketSerializer(serializers.Serializer):
    id = serializers.UUIDField(source="public_id")
    order = serializers.CharField(source="order.code", help_text="The confirmation number of its order.")
    event = serializers.SlugField(source="event.slug")
    tier = serializers.SlugField(source="tier.slug", help_text="The tier's short name.")
    holder_name = serializers.CharField()
    status = serializers.ChoiceField(Ticket.Status.choices)
    released_at = serializers.DateTimeField(
        source="event.tickets_released_at", help_text="From then on the code is shown."
    )
    code = serializers.SerializerMethodField(help_text="What the door scans; null before its release.")

    def get_code(self, ticket: Ticket) -> str | None:
        return ticket.code if ticket.is_code_released(self.context["now"]) else None


class TicketFilterSerializer(serializers.Serializer):
    status = serializers.ChoiceField(Ticket.Status.choices, required=False)
    event = serializers.CharField(required=False, help_text="The short name of an event.")
