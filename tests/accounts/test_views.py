import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries, Settings

from tests.factories import LetterFactory

pytestmark = pytest.mark.django_db


def test_demo_shows_its_newest_letters_first(client: Client, settings: Settings):
    settings.DEMO = True
    letters = LetterFactory.create_batch(52)

    response = client.get(reverse("accounts:mail"))

    assert list(response.context["letters"]) == letters[:1:-1]
    assert reverse("accounts:letter", args=[letters[-1].pk]) in response.content.decode()


@pytest.mark.parametrize("count", [1, 3])
def test_demo_s_mail_costs_one_query(
    client: Client, settings: Settings, django_assert_num_queries: DjangoAssertNumQueries, count: int
):
    settings.DEMO = True
    LetterFactory.create_batch(count)

    with django_assert_num_queries(1):
        client.get(reverse("accounts:mail"))


def test_letter_of_a_demo_has_links_to_follow_and_nothing_to_run(client: Client, settings: Settings):
    settings.DEMO = True
    letter = LetterFactory(
        text="Go to http://127.0.0.1:8000/account/confirm-email/Mw:1a-b/?next=%2Fq%2F&a=1\n\n<script>alert(1)</script>",
        html="<b>never shown</b>",
    )

    page = client.get(reverse("accounts:letter", args=[letter.pk])).content.decode()

    assert 'href="http://127.0.0.1:8000/account/confirm-email/Mw:1a-b/?next=%2Fq%2F&amp;a=1"' in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "never shown" not in page


def test_mail_is_hidden_outside_a_demo(client: Client, settings: Settings):
    settings.DEMO = False
    letter = LetterFactory(subject="a secret")

    pages = [client.get(reverse("accounts:mail")), client.get(reverse("accounts:letter", args=[letter.pk]))]

    assert [page.status_code for page in pages] == [404, 404]
    assert "a secret" not in "".join(page.content.decode() for page in pages)


def test_letter_that_is_not_there_is_not_found(client: Client, settings: Settings):
    settings.DEMO = True

    assert client.get(reverse("accounts:letter", args=[404])).status_code == 404


def test_mail_of_a_demo_is_only_read(client: Client, settings: Settings):
    settings.DEMO = True

    assert client.post(reverse("accounts:mail")).status_code == 405
