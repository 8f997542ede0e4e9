"""Presales for holders of certain cards."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from queues import refusals, services
from queues.conditions import CardPrefix, CardProgramme, Readiness
from queues.models import Admission, Queue
from queues.services import Entry
from tests.factories import AccessCodeFactory
from tests.pages import form_to, forms, submit
from tests.queues.test_admin import form_of
from tests.statements import counted_statements

pytestmark = pytest.mark.django_db

PAGE = "/queues/fall-tour-sale/"
NOT_KEPT = "37828224"


@pytest.fixture
def amex(queue: Queue) -> CardProgramme:
    programme = CardProgramme.objects.create(name="American Express", slug="amex")
    CardPrefix.objects.bulk_create([CardPrefix(programme=programme, digits=digits) for digits in ("34", "37")])
    other = CardProgramme.objects.create(name="Chase", slug="chase")
    CardPrefix.objects.create(programme=other, digits="41472012")
    queue.eligible_cards.add(programme)
    return programme


@pytest.mark.parametrize("digits", ["340000", "3782822", NOT_KEPT])
def test_card_of_the_programme_lets_the_fan_in(queue: Queue, amex: CardProgramme, ben: User, digits: str):
    assert services.join_queue(queue, ben, Entry(card_prefix=digits))[1] is True


@pytest.mark.parametrize("digits", ["", "350000", "41472012", "033700"])
def test_other_card_or_none_is_refused(queue: Queue, amex: CardProgramme, ben: User, digits: str):
    with pytest.raises(refusals.CardNotEligible):
        services.join_queue(queue, ben, Entry(card_prefix=digits))

    assert (Admission.objects.count(), Readiness.objects.count()) == (0, 0)


def test_second_programme_of_a_queue_is_as_good(queue: Queue, amex: CardProgramme, ben: User):
    queue.eligible_cards.add(CardProgramme.objects.get(slug="chase"))

    with pytest.raises(refusals.CardNotEligible):
        services.join_queue(queue, ben, Entry(card_prefix="414720"))
    assert services.join_queue(queue, ben, Entry(card_prefix="41472012"))[1] is True


def test_who_comes_back_shows_no_card_again(queue: Queue, amex: CardProgramme, ben: User, cleo: User):
    services.leave_queue(services.join_queue(queue, ben, Entry(card_prefix=NOT_KEPT))[0])

    assert services.join_queue(queue, ben)[1] is True
    with pytest.raises(refusals.CardNotEligible):
        services.join_queue(queue, cleo)


def test_card_is_asked_before_the_code_and_both_can_be_shown_early(queue: Queue, amex: CardProgramme, ben: User):
    Queue.objects.update(require_access_code=True)
    queue.refresh_from_db()
    code = AccessCodeFactory(queue=queue, code="GOOD")
    for entry, refusal in [
        (Entry(code="GOOD"), refusals.CardNotEligible),
        (Entry(card_prefix=NOT_KEPT), refusals.AccessCodeRequired),
        (Entry(card_prefix=NOT_KEPT, code="BAD"), refusals.AccessCodeInvalid),
    ]:
        with pytest.raises(refusal):
            services.join_queue(queue, ben, entry)
        with pytest.raises(refusal):
            services.get_ready(queue, ben, entry)
        assert (Readiness.objects.count(), Admission.objects.count()) == (0, 0)

    services.get_ready(queue, ben, Entry(card_prefix=NOT_KEPT, code="GOOD"))

    assert Readiness.objects.values_list("user", "code", "has_card").get() == (ben.pk, code.pk, True)
    assert services.join_queue(queue, ben)[1] is True


def test_join_with_code_and_card_takes_five_statements(queue: Queue, amex: CardProgramme, ben: User):
    Queue.objects.update(require_access_code=True)
    queue.refresh_from_db()
    AccessCodeFactory(queue=queue, code="GOOD")

    with counted_statements() as sent:
        services.join_queue(queue, ben, Entry(code="GOOD", card_prefix=NOT_KEPT))

    assert len(sent) == 5


def test_page_asks_for_six_digits_and_names_the_cards(queue: Queue, amex: CardProgramme, ben: User, client: Client):
    client.force_login(ben)
    html = client.get(PAGE).content.decode()
    assert "This sale is for holders of: American Express." in html

    answer = submit(client, form_to(client.get(PAGE), f"{PAGE}join/"), card_prefix="3782 82")

    assert answer.templates[0].name == "orders/line.html"


@pytest.mark.parametrize(
    ("typed", "status"), [("", 403), ("414720", 403), ("3782", 400), ("378282246310005", 400), ("37a282", 400)]
)
def test_refused_digits_are_told_and_never_sent_back(
    amex: CardProgramme, ben: User, client: Client, typed: str, status: int
):
    client.force_login(ben)

    answer = submit(client, form_to(client.get(PAGE), f"{PAGE}join/"), card_prefix=typed)

    assert (answer.status_code, answer.get("X-Refusal", "")) == (status, "card_not_eligible" if status == 403 else "")
    assert form_to(answer, f"{PAGE}join/").fields["card_prefix"] == ""
    assert Admission.objects.count() == 0


def test_card_is_shown_before_the_opening(queue: Queue, amex: CardProgramme, ben: User, client: Client):
    Queue.objects.update(scheduled_start=timezone.now() + timedelta(hours=1))
    client.force_login(ben)

    ready = submit(client, form_to(client.get(PAGE), f"{PAGE}ready/"), card_prefix="378282")

    assert "Your card is accepted." in ready.content.decode()
    Queue.objects.update(scheduled_start=timezone.now())
    submit(client, form_to(client.get(PAGE), f"{PAGE}join/"))
    assert Admission.objects.get().user == ben


def test_event_page_leads_to_the_card(queue: Queue, amex: CardProgramme, ben: User, client: Client):
    answer = client.get("/events/fall-tour/")

    assert [form.action for form in forms(answer) if form.action.endswith("/join/")] == []
    assert "Show your card" in answer.content.decode()


def test_organiser_chooses_cards_and_only_the_platform_keeps_them(
    queue: Queue, amex: CardProgramme, ada: User, client: Client
):
    queue.eligible_cards.clear()
    client.force_login(ada)
    form = form_of(queue.event, slug=queue.slug, eligible_cards=[amex.pk])

    assert client.post(f"/admin/queues/queue/{queue.pk}/change/", form).status_code == 302
    assert list(queue.eligible_cards.all()) == [amex]
    assert client.get("/admin/queues/cardprogramme/").status_code == 403
    assert client.get(f"/admin/queues/cardprogramme/{amex.pk}/change/").status_code == 403

    User.objects.filter(pk=ada.pk).update(is_superuser=True)
    assert client.get(f"/admin/queues/cardprogramme/{amex.pk}/change/").status_code == 200
