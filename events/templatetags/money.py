from decimal import Decimal

from django import template
from django.utils.translation import get_language

from events import money

register = template.Library()


@register.filter
def currency(amount: Decimal, code: str) -> str:
    """Write an amount with its currency: `{{ order.total|currency:order.currency }}`."""
    return money.written(amount, currency=code, language=get_language() or "en")


@register.filter
def minor_units(amount: Decimal, code: str) -> int:
    return money.in_minor_units(amount, currency=code)
