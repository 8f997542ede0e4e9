from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.models import EMAIL_LENGTH
from events.models import Tier
from events.offers import Offer
from orders.models import HOLDER_LENGTH, Order
from orders.refusals import OrderTooLarge


class SelectionForm(forms.Form):
    """A number of tickets for each tier; fields are named `tier-<short name>`."""

    token = forms.CharField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, tiers: Sequence[Tier], maximum: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.tiers = tiers
        for tier in tiers:
            self.fields[f"tier-{tier.slug}"] = forms.IntegerField(
                label=tier.name,
                min_value=0,
                max_value=maximum,
                required=False,
                error_messages={"max_value": str(OrderTooLarge(maximum))},
            )

    def wanted(self) -> dict[str, int]:
        """Return the numbers asked for, by the tier's short name."""
        return {tier.slug: self.cleaned_data.get(f"tier-{tier.slug}") or 0 for tier in self.tiers}

    def rows(self, offers: Sequence[Offer]) -> list[tuple[Offer, forms.BoundField]]:
        """Return each tier as it is offered, with its field."""
        return [(offer, self[f"tier-{offer.tier.slug}"]) for offer in offers]


class HoldersForm(forms.Form):
    """Who the tickets are for: `holder-1`, `holder-2`, ... in the order of the order's lines."""

    def __init__(self, *args: Any, order: Order, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.labels = [line.tier.name for line in order.lines.all() for _ in range(line.quantity)]
        for number, tier_name in enumerate(self.labels, start=1):
            self.fields[f"holder-{number}"] = forms.CharField(
                label=_("Ticket %(number)d: %(tier)s") % {"number": number, "tier": tier_name},
                max_length=HOLDER_LENGTH,
                initial=self._known_name(order, number),
                widget=forms.TextInput(attrs={"autocomplete": "name" if number == 1 else "off"}),
            )
        self.fields["email"] = forms.EmailField(
            label=_("E-mail for this order"),
            max_length=EMAIL_LENGTH,
            initial=order.contact_email,
            widget=forms.EmailInput(attrs={"autocomplete": "email"}),
        )
        self.fields["terms"] = forms.BooleanField(
            label=_("I accept the purchase rules above"),
            # Accepted once is accepted: a declined card is no reason to ask again.
            initial=order.terms_accepted_at is not None,
            error_messages={"required": _("Please accept the purchase rules.")},
        )

    @staticmethod
    def _known_name(order: Order, number: int) -> str:
        """What was typed before a declined payment, or else the buyer's own name for the first ticket."""
        if len(order.holders) >= number:
            return order.holders[number - 1]
        return order.buyer.name if number == 1 else ""

    def holder_fields(self) -> list[forms.BoundField]:
        return [self[f"holder-{number}"] for number in range(1, len(self.labels) + 1)]

    def holders(self) -> list[str]:
        return [self.cleaned_data[f"holder-{number}"] for number in range(1, len(self.labels) + 1)]
