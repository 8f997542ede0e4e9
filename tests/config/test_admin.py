"""The walls of the admin: every model that it knows, now or later."""

from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.contrib import admin
from django.contrib.contenttypes.models import ContentType
from django.db.models import Model
from django.test import Client

from accounts.models import IdentityCheck, Letter, Membership, Organizer, User
from accounts.scoping import OrganizerScopedAdmin
from orders.models import Order
from queues.conditions import CardProgramme
from queues.models import Queue
from tests.factories import (
    ActFactory,
    AdmissionFactory,
    EndpointFactory,
    FactFactory,
    LineFactory,
    MembershipFactory,
    NoticeFactory,
    OrderFactory,
    PaymentFactory,
    TicketFactory,
)

pytestmark = pytest.mark.django_db

NOT_OF_AN_ORGANIZER: set[type[Model]] = {User, Letter, IdentityCheck, CardProgramme, Authenticator}


@pytest.fixture
def sale(queue: Queue) -> Order:
    """An order with everything that hangs on it, so that every model of the admin has a row of Ada's."""
    order = OrderFactory(admission=AdmissionFactory(queue=queue, admitted=True))
    tier = queue.event.tiers.in_order().last()
    LineFactory(order=order, tier=tier)
    PaymentFactory(order=order)
    TicketFactory(order=order, tier=tier)
    EndpointFactory(organizer=queue.event.organizer)
    FactFactory(organizer=queue.event.organizer)
    NoticeFactory(queue=queue)
    ActFactory(organizer=queue.event.organizer)
    return order


def scoped() -> list[OrganizerScopedAdmin]:
    registered: list[Any] = list(admin.site._registry.values())
    return [found for found in registered if isinstance(found, OrganizerScopedAdmin)]


def test_every_model_of_the_admin_has_walls_or_is_for_superusers():
    walled = {model_admin.model for model_admin in scoped()}
    assert set(admin.site._registry) - walled == NOT_OF_AN_ORGANIZER


def test_organiser_of_another_house_sees_and_touches_nothing(client: Client, sale: Order, organizer: Organizer):
    client.force_login(MembershipFactory().user)
    for model_admin in scoped():
        model = model_admin.model
        rows = model._default_manager.all()
        mine = rows.filter(**{f"{model_admin.organizer_path}": organizer.pk})
        row = mine.first()
        assert row is not None, f"the fixture `sale` has no {model.__name__}"
        before = mine.values().get(pk=row.pk)
        base = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
        assert not set(client.get(base).context["cl"].result_list) & set(mine)
        pages = [f"{base}{row.pk}/{page}/" for page in ("change", "delete", "history")]
        actions = [f"{base}{row.pk}/{entry.path}/" for entry in model_admin._get_base_actions_detail()]
        for page in pages:
            answer = client.get(page)
            assert (answer.status_code, answer.headers.get("Location")) in {(302, "/admin/"), (403, None), (404, None)}
        for page in [*pages, *actions]:
            answer = client.post(page, {"_form_submitted": "True", "post": "yes", "name": "Taken"})
            assert (answer.status_code, answer.headers.get("Location")) in {(302, "/admin/"), (403, None), (404, None)}
        assert mine.values().get(pk=row.pk) == before


def test_desk_leads_to_no_row_by_its_number(client: Client, sale: Order):
    client.force_login(MembershipFactory().user)
    for row in (sale, sale.tickets.get()):
        kind = ContentType.objects.get_for_model(row).pk

        answer = client.get(f"/admin/r/{kind}/{row.pk}/")

        assert (answer.status_code, answer.headers.get("Location")) == (404, None)


@pytest.mark.parametrize("who", ["door", "fan", "nobody"])
def test_who_does_not_manage_sees_no_desk(client: Client, sale: Order, organizer: Organizer, ben: User, who: str):
    if who == "door":
        client.force_login(MembershipFactory(organizer=organizer, role=Membership.Role.DOOR).user)
    if who == "fan":
        client.force_login(ben)
    for model_admin in scoped():
        model = model_admin.model
        answer = client.get(f"/admin/{model._meta.app_label}/{model._meta.model_name}/")
        assert answer.status_code in {302, 403}
        assert answer.status_code == 403 or "login" in answer.headers["Location"]


def test_organiser_sees_every_list_and_row_of_her_own(client: Client, ada: User, sale: Order, organizer: Organizer):
    client.force_login(ada)
    for model_admin in scoped():
        model = model_admin.model
        mine = model._default_manager.filter(**{model_admin.organizer_path: organizer.pk})
        base = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
        assert set(client.get(base).context["cl"].result_list) == set(mine)
        assert client.get(f"{base}{mine[0].pk}/change/").status_code == 200
