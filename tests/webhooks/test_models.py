from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.models import Organizer
from tests.factories import EndpointFactory, FactFactory
from webhooks.models import Endpoint, Fact, FactType

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("fields", "constraint"),
    [
        ({"types": []}, "endpoint_asks_for_something"),
        ({"url": "https://a.example/"}, "organizer_names_an_address_once"),
    ],
)
def test_database_keeps_what_is_true_of_an_endpoint(organizer: Organizer, fields: dict[str, Any], constraint: str):
    EndpointFactory(organizer=organizer, url="https://a.example/")

    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        EndpointFactory(organizer=organizer, **fields)

    assert Endpoint.objects.count() == 1


def test_endpoint_is_asked_for_by_type_and_while_it_is_active(organizer: Organizer):
    wanted = EndpointFactory(organizer=organizer, types=["order.paid", "queue.sold_out"])
    EndpointFactory(organizer=organizer, types=["order.refunded"])
    EndpointFactory(organizer=organizer, is_active=False)
    foreign = EndpointFactory()

    found = Endpoint.objects.active().asking_for(FactType.ORDER_PAID)

    assert set(found) == {wanted, foreign}
    assert list(found.for_organizer(organizer)) == [wanted]


def test_fact_keeps_its_time_and_gives_its_body(organizer: Organizer):
    fact = FactFactory(organizer=organizer, data={"queue": {"slug": "sale"}})
    fact.refresh_from_db()

    assert abs((timezone.now() - fact.happened_at).total_seconds()) < 10
    assert fact.body() == {
        "type": "queue.sold_out",
        "timestamp": fact.happened_at,
        "data": {"queue": {"slug": "sale"}},
    }
    assert list(Fact.objects.for_organizer(organizer)) == [fact]


def test_facts_go_with_their_organizer(organizer: Organizer):
    FactFactory(organizer=organizer)
    EndpointFactory(organizer=organizer)
    kept = FactFactory()

    organizer.delete()

    assert (list(Fact.objects.all()), Endpoint.objects.count()) == ([kept], 0)
