"""Amounts of money: rounding, the service fee and how they are written.

Money is a Decimal in the currency's main unit. It is rounded half up to the currency's minor unit, here and
nowhere else. The fee is worked out for one ticket and multiplied, so that a price shown with its fee, times the
number of tickets, is exactly what is asked at checkout.
"""

from decimal import ROUND_HALF_UP, Decimal

from babel import Locale
from babel.core import get_global
from babel.numbers import format_currency, get_currency_precision


def is_currency(code: str) -> bool:
    return code in get_global("all_currencies")


def minor_unit(currency: str) -> Decimal:
    """The smallest amount of a currency: 0.01 for USD, 1 for JPY."""
    return Decimal(1).scaleb(-get_currency_precision(currency))


def rounded(amount: Decimal, *, currency: str) -> Decimal:
    return amount.quantize(minor_unit(currency), rounding=ROUND_HALF_UP)


def fee(price: Decimal, *, percent: Decimal, currency: str) -> Decimal:
    """The service fee of one ticket."""
    return rounded(price * percent / 100, currency=currency)


def with_fee(price: Decimal, *, percent: Decimal, currency: str) -> Decimal:
    return rounded(price, currency=currency) + fee(price, percent=percent, currency=currency)


def in_minor_units(amount: Decimal, *, currency: str) -> int:
    """Cents for USD, yen for JPY: what scripts and payment providers calculate with."""
    return int(rounded(amount, currency=currency) / minor_unit(currency))


def written(amount: Decimal, *, currency: str, language: str) -> str:
    """An amount as people read it in `language`: `$550.00`."""
    return format_currency(amount, currency, locale=Locale.parse(language, sep="-"))
