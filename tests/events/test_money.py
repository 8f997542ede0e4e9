from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from events import money
from events.templatetags.money import currency, minor_units
from tests.factories import EventFactory

CURRENCIES = ["USD", "EUR", "JPY", "KWD"]
PRICES = st.decimals(min_value=0, max_value=9_999_999, places=2)
PERCENTS = st.decimals(min_value=0, max_value=100, places=2)


@given(price=PRICES, percent=PERCENTS, code=st.sampled_from(CURRENCIES), number=st.integers(1, 100))
def test_price_with_fee_times_the_number_is_what_is_asked(price: Decimal, percent: Decimal, code: str, number: int):
    event = EventFactory.build(currency=code, service_fee_percent=percent)

    subtotal = money.rounded(price, currency=code) * number
    fees = money.fee(price, percent=percent, currency=code) * number

    assert event.price_with_fee(price) * number == subtotal + fees


@given(price=PRICES, percent=PERCENTS, code=st.sampled_from(CURRENCIES))
def test_amounts_are_whole_minor_units_and_off_by_half_of_one_at_most(price: Decimal, percent: Decimal, code: str):
    unit = money.minor_unit(code)

    fee = money.fee(price, percent=percent, currency=code)

    assert fee % unit == 0
    assert abs(fee - price * percent / 100) <= unit / 2
    assert money.with_fee(price, percent=percent, currency=code) % unit == 0


@pytest.mark.parametrize(
    ("price", "percent", "code", "fee"),
    [
        ("150.00", "10", "USD", "15.00"),
        ("0.05", "10", "USD", "0.01"),  # 0.005: half goes up
        ("0.15", "10", "USD", "0.02"),  # 0.015: half goes up, and not to the even neighbour
        ("0.25", "10", "USD", "0.03"),
        ("0.04", "10", "USD", "0.00"),
        ("1005", "10", "JPY", "101"),  # 100.5
        ("1004", "10", "JPY", "100"),
        ("0.25", "1", "KWD", "0.003"),  # 0.0025
        ("99.99", "0", "USD", "0.00"),
        ("99.99", "100", "USD", "99.99"),
    ],
)
def test_fee_is_rounded_half_up(price: str, percent: str, code: str, fee: str):
    assert str(money.fee(Decimal(price), percent=Decimal(percent), currency=code)) == fee


@pytest.mark.parametrize(("code", "unit"), [("USD", "0.01"), ("JPY", "1"), ("KWD", "0.001")])
def test_minor_unit_is_the_currencys(code: str, unit: str):
    assert money.minor_unit(code) == Decimal(unit)


@pytest.mark.parametrize(
    ("amount", "code", "number"), [("12.34", "USD", 1234), ("12", "JPY", 12), ("1.5", "KWD", 1500)]
)
def test_minor_units_are_what_scripts_calculate_with(amount: str, code: str, number: int):
    assert minor_units(Decimal(amount), code) == number


@pytest.mark.parametrize(
    ("amount", "code", "written"),
    [("550", "USD", "$550.00"), ("1234.5", "EUR", "€1,234.50"), ("1500", "JPY", "¥1,500"), ("0", "USD", "$0.00")],
)
def test_amount_is_written_as_people_read_it(amount: str, code: str, written: str):
    assert currency(Decimal(amount), code) == written


def test_currency_is_known_by_its_code():
    assert [code for code in ("USD", "JPY", "usd", "ABC", "") if money.is_currency(code)] == ["USD", "JPY"]
