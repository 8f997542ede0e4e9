"""What goes on without Redis."""

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from accounts.models import User

PASSWORD = "a long and winding road"

pytestmark = pytest.mark.django_db


@pytest.fixture
def eve() -> User:
    return User.objects.create_user("eve@example.com", PASSWORD)


def sign_in(client: Client, password: str) -> tuple[int, bool]:
    response = client.post(reverse("account_login"), {"login": "eve@example.com", "password": password})
    return response.status_code, "_auth_user_id" in client.session


@pytest.mark.usefixtures("dead_redis")
def test_signing_in_needs_no_redis(client: Client, eve: User):
    assert sign_in(client, "not the password") == (200, False)
    assert sign_in(client, PASSWORD) == (302, True)


@pytest.mark.usefixtures("dead_redis")
def test_signing_up_needs_no_redis(client: Client):
    typed = {"name": "Eve", "email": "eve@example.com", "password1": PASSWORD}

    assert client.post(reverse("account_signup"), typed).status_code == 302
    assert User.objects.get().email == "eve@example.com"


def test_signing_in_is_limited_while_redis_is_there(client: Client, eve: User):
    cache.clear()

    found = {sign_in(client, "not the password") for _ in range(6)}
    found.add(sign_in(client, PASSWORD))

    cache.clear()
    assert (found, sign_in(client, PASSWORD)) == ({(200, False)}, (302, True))


def test_key_that_is_there_is_not_added_again():
    cache.delete("somebody's")

    assert [cache.add("somebody's", 1), cache.add("somebody's", 2), cache.get("somebody's")] == [True, False, 1]
