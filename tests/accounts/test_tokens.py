"""A program's token at our own endpoints, beside the cookies that a browser may send with it."""

from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from queues.models import Admission, Queue
from tests.accounts.programs import signed_in

pytestmark = pytest.mark.django_db

OURS = ["/api/v1/orders/", "/api/v1/events/", "/api/v1/queues/fall-tour-sale/journey/"]
JOIN = "/api/v1/queues/fall-tour-sale/join/"
ENDED = (401, "sign_in_required", "You are no longer signed in. Please sign in again.")


def ended_token() -> str:
    program = signed_in()
    program.ask("DELETE", "auth/session")
    return program.token


def told(answer: Any) -> tuple[int, str, str]:
    return answer.status_code, answer.json()["code"], answer.json()["detail"]


@pytest.mark.parametrize("path", OURS)
@pytest.mark.parametrize("token", ["ended", "never one", "\xff\xfe", "x" * 5000])
@pytest.mark.usefixtures("queue", "verified_ben")
def test_token_that_is_good_for_nothing_is_refused_also_beside_a_live_cookie(
    client: Client, cleo: User, path: str, token: str
):
    sent = {"X-Session-Token": ended_token() if token == "ended" else token}
    as_nobody = told(client.get(path, headers=sent))
    client.force_login(cleo)

    assert (as_nobody, told(client.get(path, headers=sent))) == (ENDED, ENDED)
    assert client.get(path).status_code == 200


def test_account_whose_token_has_ended_does_not_join_as_a_stranger(client: Client, queue: Queue, verified_ben: User):
    Queue.objects.update(require_authentication=False)
    token = ended_token()

    answer = client.post(JOIN, {}, content_type="application/json", headers={"X-Session-Token": token})

    assert (told(answer), Admission.objects.count()) == (ENDED, 0)


def test_token_is_who_asks_whatever_cookie_comes_with_it(client: Client, queue: Queue, verified_ben: User, cleo: User):
    client.force_login(cleo)

    client.post(JOIN, {}, content_type="application/json", headers={"X-Session-Token": signed_in().token})

    assert list(Admission.objects.values_list("user", flat=True)) == [verified_ben.pk]
