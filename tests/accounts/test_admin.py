from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.contrib import admin
from django.contrib.admin import AdminSite
from django.contrib.admin.views.autocomplete import AutocompleteJsonView
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import HttpRequest
from django.test import Client, RequestFactory
from django.urls import reverse

from accounts import services
from accounts.admin import EditUserForm, UserAdmin
from accounts.models import Letter, Membership, Organizer, User
from accounts.scoping import OrganizerScope, OrganizerScopedAdmin
from tests.factories import LetterFactory, MembershipFactory, OrganizerFactory, UserFactory

pytestmark = pytest.mark.django_db


class MembershipAdmin(OrganizerScopedAdmin):
    """Stand for any model of an organizer's."""

    list_filter = ("organizer", "role")


class MembershipInline(OrganizerScope, admin.TabularInline):
    model = Membership
    choice_paths = {"user": "memberships__organizer"}


class SharedUserAdmin(MembershipAdmin):
    choice_paths = {"user": None}


class ScopedOrganizerAdmin(OrganizerScopedAdmin):
    organizer_path = "pk"
    search_fields = ordering = ("name",)


@pytest.fixture
def site() -> AdminSite:
    site = AdminSite()
    site.register(Membership, MembershipAdmin)
    site.register(Organizer, ScopedOrganizerAdmin)
    return site


def request_of(user: User, **query: str) -> HttpRequest:
    request = RequestFactory().get("/", query)
    request.user = user
    return request


def root() -> User:
    return UserFactory(is_staff=True, is_superuser=True)


def sign_in(client: Client, user: User) -> User:
    client.force_login(user)
    return user


def test_staff_see_and_touch_only_their_organizer_s_rows(site: AdminSite):
    mine, foreign = MembershipFactory(), MembershipFactory()
    model_admin, request = site.get_model_admin(Membership), request_of(mine.user)

    assert list(model_admin.get_queryset(request)) == [mine]
    for may in (
        model_admin.has_view_permission,
        model_admin.has_change_permission,
        model_admin.has_delete_permission,
    ):
        assert [may(request), may(request, mine), may(request, foreign)] == [True, True, False]
    assert [model_admin.has_module_permission(request), model_admin.has_add_permission(request)] == [True, True]


def test_superuser_sees_and_touches_every_row(site: AdminSite):
    rows = [MembershipFactory(), MembershipFactory()]
    model_admin, request = site.get_model_admin(Membership), request_of(root())

    assert list(model_admin.get_queryset(request).order_by("pk")) == rows
    assert [model_admin.has_change_permission(request, row) for row in rows] == [True, True]


@pytest.mark.parametrize("changes", [{"role": "door"}, {"user__is_staff": False}, {"user__is_active": False}])
def test_who_does_not_manage_sees_nothing(site: AdminSite, changes: dict):
    member = MembershipFactory(**changes)
    model_admin, request = site.get_model_admin(Membership), request_of(member.user)

    assert list(model_admin.get_queryset(request)) == []
    assert not model_admin.has_module_permission(request)
    assert not model_admin.has_add_permission(request)
    assert not model_admin.has_view_permission(request, member)


def offered(model_admin: Any, user: User, field: str) -> list[Any]:
    """Return what the form of `model_admin` has to choose from in `field`."""
    form_field = model_admin.formfield_for_foreignkey(Membership._meta.get_field(field), request_of(user))
    return list(form_field.queryset.order_by("pk"))


def made(admin_class: Any, model: type[Model], site: AdminSite) -> Any:
    return admin_class(model, site)


def test_form_offers_only_rows_of_their_organizer(site: AdminSite):
    mine, foreign = MembershipFactory(), MembershipFactory()
    plain, inline, shared = (
        made(MembershipAdmin, Membership, site),
        made(MembershipInline, Organizer, site),
        made(SharedUserAdmin, Membership, site),
    )

    assert offered(plain, mine.user, "organizer") == [mine.organizer]
    assert offered(plain, mine.user, "user") == []
    assert offered(inline, mine.user, "user") == [mine.user]
    assert offered(shared, mine.user, "user") == [mine.user, foreign.user]


def test_form_offers_a_superuser_everything(site: AdminSite):
    rows = MembershipFactory.create_batch(2)

    assert offered(made(MembershipAdmin, Membership, site), root(), "organizer") == [row.organizer for row in rows]


def test_filter_offers_only_rows_of_their_organizer(site: AdminSite):
    mine, foreign = MembershipFactory(), MembershipFactory()
    model_admin: Any = site.get_model_admin(Membership)

    def filtered_by(user: User) -> list[int]:
        changelist = model_admin.get_changelist_instance(request_of(user))
        return sorted(pk for pk, _ in changelist.filter_specs[0].lookup_choices)

    assert filtered_by(root()) == [mine.organizer.pk, foreign.organizer.pk]
    # A filter with one choice is left out by Django.
    second = MembershipFactory(user=mine.user)
    assert filtered_by(mine.user) == [mine.organizer.pk, second.organizer.pk]


def test_autocomplete_finds_only_rows_of_their_organizer(site: AdminSite):
    mine, door = MembershipFactory(), MembershipFactory(role="door")
    query = {"app_label": "accounts", "model_name": "membership", "field_name": "organizer", "term": "organizer"}
    view: Any = AutocompleteJsonView.as_view(admin_site=site)

    found = view(request_of(mine.user, **query)).content.decode()

    assert mine.organizer.name in found
    assert door.organizer.name not in found
    with pytest.raises(PermissionDenied):
        view(request_of(door.user, **query))


def test_rights_cost_one_query_however_many_are_asked(site: AdminSite, django_assert_num_queries):
    request, model_admin = request_of(MembershipFactory().user), site.get_model_admin(Membership)

    with django_assert_num_queries(1):
        for _ in range(3):
            model_admin.has_module_permission(request)
            model_admin.has_add_permission(request)


def test_admin_sends_a_stranger_to_the_one_sign_in_page(client: Client):
    response = client.get(reverse("admin:login"), {"next": "/admin/accounts/"})

    assert (response.status_code, response["Location"]) == (302, "/account/login/?next=%2Fadmin%2Faccounts%2F")
    assert client.post(reverse("admin:login"), {"username": "a", "password": "b"}).status_code == 302


def test_admin_lets_no_fan_in(client: Client):
    sign_in(client, UserFactory())

    assert client.get(reverse("admin:index"), follow=True).status_code == 403


def test_owner_changes_the_own_organizer_and_no_other(client: Client):
    mine, foreign = MembershipFactory(), OrganizerFactory(name="Foreign")
    sign_in(client, mine.user)
    data = {"name": "Renamed", "slug": "renamed"}

    own = client.post(reverse("admin:accounts_organizer_change", args=[mine.organizer.pk]), data)
    other = client.post(reverse("admin:accounts_organizer_change", args=[foreign.pk]), data)

    mine.organizer.refresh_from_db()
    foreign.refresh_from_db()
    assert (own.status_code, other.status_code) == (302, 302)
    assert (mine.organizer.name, foreign.name) == ("Renamed", "Foreign")
    assert "Foreign" not in client.get(reverse("admin:accounts_organizer_changelist")).content.decode()


def test_owner_neither_makes_organizers_nor_members(client: Client):
    mine = MembershipFactory()
    newcomer = UserFactory()
    sign_in(client, mine.user)
    members = {
        "memberships-TOTAL_FORMS": "1",
        "memberships-INITIAL_FORMS": "0",
        "memberships-0-user": str(newcomer.pk),
        "memberships-0-role": "owner",
    }

    added = client.post(reverse("admin:accounts_organizer_add"), {"name": "New", "slug": "new"})
    client.post(
        reverse("admin:accounts_organizer_change", args=[mine.organizer.pk]), {"name": "A", "slug": "a", **members}
    )

    assert added.status_code == 403
    assert (Organizer.objects.count(), Membership.objects.count()) == (1, 1)


@pytest.mark.parametrize("model", ["user", "letter"])
def test_people_and_letters_are_the_superuser_s_alone(client: Client, model: str):
    sign_in(client, MembershipFactory().user)
    pages = [reverse(f"admin:accounts_{model}_changelist"), reverse(f"admin:accounts_{model}_add")]

    assert [client.get(page).status_code for page in pages] == [403, 403]


@pytest.mark.parametrize("model", ["user", "letter", "organizer"])
def test_superuser_sees_every_list_and_row(client: Client, model: str):
    factories: dict[str, Any] = {"user": UserFactory, "letter": LetterFactory, "organizer": OrganizerFactory}
    row = factories[model]()
    sign_in(client, root())

    assert client.get(reverse(f"admin:accounts_{model}_changelist")).status_code == 200
    assert client.get(reverse(f"admin:accounts_{model}_change", args=[row.pk])).status_code == 200


def test_superuser_makes_an_account_with_a_lower_case_login(client: Client):
    sign_in(client, root())
    assert client.get(reverse("admin:accounts_user_add")).status_code == 200
    data = {"email": "Ben@Example.org", "name": "Ben", "usable_password": "true"}

    client.post(
        reverse("admin:accounts_user_add"), {**data, "password1": "a long secret", "password2": "a long secret"}
    )

    assert User.objects.get(email="ben@example.org").check_password("a long secret")


def test_address_that_a_superuser_corrects_has_to_be_verified_anew(client: Client):
    sign_in(client, root())
    user = UserFactory(email="bem@example.org", name="Ben")
    services.mark_email_verified(user)

    response = client.post(
        reverse("admin:accounts_user_change", args=[user.pk]),
        {"email": "Ben@example.org", "name": "Benjamin", "is_active": "on"},
    )

    assert response.status_code == 302, response.context["errors"]
    user.refresh_from_db()
    assert (user.email, user.name, user.email_verified_at) == ("ben@example.org", "Benjamin", None)
    assert list(EmailAddress.objects.values_list("email", "verified")) == [("ben@example.org", False)]


def test_form_of_an_account_sets_nothing_back_that_moved_meanwhile(ben: User):
    read = User.objects.get(pk=ben.pk)
    services.mark_identity_verified(ben)
    ben.set_password("a new and long secret")
    ben.save(update_fields=["password"])
    form = EditUserForm({"email": ben.email, "name": "Benjamin", "is_active": "on"}, instance=read)
    assert form.is_valid()

    UserAdmin(User, admin.site).save_model(request_of(root()), form.save(commit=False), form, change=True)

    ben.refresh_from_db()
    assert (ben.name, ben.is_identity_verified, ben.check_password("a new and long secret")) == ("Benjamin", True, True)


def test_password_given_by_a_superuser_sets_nothing_back_that_moved_meanwhile(client: Client, ben: User):
    read = User.objects.get(pk=ben.pk)
    services.change_email(ben, email="benny@example.org")
    form = UserAdmin.change_password_form(
        read, {"usable_password": "true", "password1": "a new and long secret", "password2": "a new and long secret"}
    )
    assert form.is_valid()

    form.save()

    ben.refresh_from_db()
    assert (ben.email, ben.email_verified_at, ben.check_password("a new and long secret")) == (
        "benny@example.org",
        None,
        True,
    )


def test_superuser_gives_a_password_and_takes_it_away(client: Client, ben: User):
    sign_in(client, root())
    page = reverse("admin:auth_user_password_change", args=[ben.pk])
    given = {"usable_password": "true", "password1": "a new and long secret", "password2": "a new and long secret"}

    client.post(page, {**given, "set-password": "1"})
    ben.refresh_from_db()
    assert ben.check_password("a new and long secret")
    client.post(page, {"usable_password": "false", "unset-password": "1"})
    ben.refresh_from_db()
    assert not ben.has_usable_password()


def test_superuser_sends_letters_again_and_adds_none(client: Client):
    sign_in(client, root())
    letter = LetterFactory(status="failed", last_error="550")

    assert client.post(reverse("admin:accounts_letter_add"), {"to": "other@example.org"}).status_code == 403
    client.post(
        reverse("admin:accounts_letter_changelist"), {"action": "send_again", "_selected_action": [str(letter.pk)]}
    )

    assert list(Letter.objects.values_list("to", "status", "last_error")) == [(letter.to, "queued", "")]
