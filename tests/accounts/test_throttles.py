"""How often programs may ask, and what they are told then."""

import pytest
from django.test import Client
from pytest_django import Settings

from accounts import throttles
from accounts.models import User
from tests.api import program_of, refused

pytestmark = pytest.mark.django_db

EVENTS = "/api/v1/events/"
HOME = "2001:db8:0:1::{:x}"


@pytest.fixture(autouse=True)
def _few(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let an account ask twice, an address three times; all in one minute, 40 seconds before its end."""
    settings.API_REQUESTS_A_MINUTE_BY_ACCOUNT = 2
    settings.API_REQUESTS_A_MINUTE_BY_ADDRESS = 3
    monkeypatch.setattr(throttles.time, "time", lambda: 60_000_020.0)


def statuses(client: Client, *addresses: str) -> list[int]:
    return [client.get(EVENTS, REMOTE_ADDR=address).status_code for address in addresses]


def test_account_may_ask_so_often_from_wherever_it_asks(ben: User, cleo: User):
    bens, cleos = program_of(ben), program_of(cleo)

    assert statuses(bens, "192.0.2.1", "192.0.2.2", "192.0.2.3") == [200, 200, 429]
    assert statuses(cleos, "192.0.2.1") == [200]


def test_address_may_ask_so_often_whoever_asks(client: Client, ben: User):
    assert statuses(client, *["192.0.2.1"] * 4, "192.0.2.2") == [200, 200, 200, 429, 200]
    assert statuses(program_of(ben), "192.0.2.1") == [429]


def test_addresses_of_one_household_count_together(client: Client):
    assert statuses(client, *(HOME.format(number) for number in range(4))) == [200, 200, 200, 429]
    assert statuses(client, "2001:db8:0:2::1", "192.0.2.1") == [200, 200]


def test_whoever_asks_too_often_is_told_when_the_next_minute_begins(
    client: Client, monkeypatch: pytest.MonkeyPatch, settings: Settings
):
    settings.API_REQUESTS_A_MINUTE_BY_ADDRESS = 0

    answer = client.get(EVENTS)

    assert (refused(answer, "throttled")["retry_after"], answer["Retry-After"]) == (40, "40")
    settings.API_REQUESTS_A_MINUTE_BY_ADDRESS = 1
    monkeypatch.setattr(throttles.time, "time", lambda: 60_000_060.0)
    assert client.get(EVENTS).status_code == 200


@pytest.mark.usefixtures("dead_redis")
def test_nobody_is_turned_away_while_redis_is_away(client: Client):
    assert statuses(client, *["192.0.2.1"] * 4) == [200] * 4
