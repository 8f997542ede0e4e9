from datetime import timedelta

import pytest
from django.db import IntegrityError, connection
from django.utils import timezone

from accounts.models import Letter, Membership, Organizer, User
from accounts.refusals import Refusal
from tests.factories import LetterFactory, MembershipFactory, OrganizerFactory, UserFactory

pytestmark = pytest.mark.django_db


def test_account_is_created_with_a_lower_case_login():
    user = User.objects.create_user(" Ben@Example.ORG ", "a good password")

    assert (user.email, user.is_staff, user.check_password("a good password")) == ("ben@example.org", False, True)
    assert User.objects.get_by_natural_key("BEN@example.org") == user


def test_account_without_a_password_lets_nobody_in():
    assert not User.objects.create_user("ben@example.org").has_usable_password()


def test_superuser_may_enter_the_admin():
    user = User.objects.create_superuser("root@example.org", "a good password")

    assert (user.is_staff, user.is_superuser) == (True, True)


def test_database_refuses_a_login_in_capitals():
    with pytest.raises(IntegrityError, match="user_email_is_lower_case"):
        UserFactory(email="Ben@example.org")


def test_account_says_what_is_verified():
    now = timezone.now()

    assert not UserFactory().is_email_verified
    assert not UserFactory().is_identity_verified
    assert UserFactory(email_verified_at=now).is_email_verified
    assert UserFactory(identity_verified_at=now).is_identity_verified


@pytest.mark.parametrize("role", [Membership.Role.OWNER, Membership.Role.MANAGER])
def test_staff_manage_the_organizers_they_own_or_manage(role: str):
    membership = MembershipFactory(role=role)
    OrganizerFactory()

    assert list(Organizer.objects.for_staff(membership.user)) == [membership.organizer]


def test_organizers_are_managed_by_nobody_else():
    at_the_door = MembershipFactory(role=Membership.Role.DOOR)
    no_longer_staff = MembershipFactory(user__is_staff=False)
    gone = MembershipFactory(user__is_active=False)

    assert [list(Organizer.objects.for_staff(who)) for who in (at_the_door.user, no_longer_staff.user, gone.user)] == [
        [],
        [],
        [],
    ]


def test_superuser_manages_every_organizer():
    organizers = {OrganizerFactory(), OrganizerFactory()}

    assert set(Organizer.objects.for_staff(UserFactory(is_staff=True, is_superuser=True))) == organizers


def test_member_belongs_to_an_organizer_once():
    membership = MembershipFactory()

    with pytest.raises(IntegrityError, match="user_is_member_of_organizer_once"):
        MembershipFactory(user=membership.user, organizer=membership.organizer, role=Membership.Role.DOOR)


def test_membership_has_no_other_role():
    with pytest.raises(IntegrityError, match="membership_role_is_known"):
        MembershipFactory(role="king")


@pytest.mark.parametrize(
    ("before", "after", "allowed"),
    [
        ("queued", "sent", True),
        ("queued", "failed", True),
        ("sent", "queued", True),
        ("failed", "queued", True),
        ("queued", "queued", False),
        ("sent", "failed", False),
        ("failed", "sent", False),
        ("sent", "lost", False),
    ],
)
def test_letter_keeps_to_its_stages(before: str, after: str, allowed: bool):
    letter = LetterFactory.build(status=before)

    if allowed:
        letter.move_to(after)
        assert letter.status == after
    else:
        with pytest.raises(ValueError, match=f"cannot go from '{before}' to '{after}'"):
            letter.move_to(after)
        assert letter.status == before


def test_letters_go_in_the_order_of_their_kinds_and_then_of_time():
    earlier, later = timezone.now() - timedelta(hours=2), timezone.now() - timedelta(hours=1)
    mass = LetterFactory(kind="mass", not_before=earlier)
    notice = LetterFactory(kind="notice", not_before=earlier)
    receipt = LetterFactory(kind="receipt", not_before=later)
    first_receipt = LetterFactory(kind="receipt", not_before=earlier)
    verification = LetterFactory(kind="verification", not_before=later)

    assert list(Letter.objects.due().in_sending_order()) == [verification, first_receipt, receipt, notice, mass]


def test_letter_is_due_when_it_is_queued_and_its_time_has_come_and_nobody_sends_it():
    past, future = timezone.now() - timedelta(seconds=1), timezone.now() + timedelta(minutes=1)
    due = [LetterFactory(), LetterFactory(not_before=past), LetterFactory(leased_until=past)]
    LetterFactory(not_before=future)
    LetterFactory(leased_until=future)
    LetterFactory(status="sent", sent_at=past)
    LetterFactory(status="failed")

    assert list(Letter.objects.due().order_by("pk")) == due


@pytest.mark.parametrize(
    ("fields", "constraint"),
    [
        ({"status": "sent"}, "letter_sent_has_its_time"),
        ({"status": "queued", "sent_at": timezone.now()}, "letter_sent_has_its_time"),
        ({"status": "failed", "leased_until": timezone.now()}, "letter_leased_only_while_queued"),
    ],
)
def test_database_refuses_a_letter_that_contradicts_itself(fields: dict, constraint: str):
    with pytest.raises(IntegrityError, match=constraint):
        LetterFactory(**fields)


def test_letter_has_a_message_id_of_its_own():
    letter = LetterFactory()

    with pytest.raises(IntegrityError, match="letter_has_its_own_message_id"):
        LetterFactory(message_id=letter.message_id)


def test_next_letter_is_found_by_its_index_among_many_sent_ones():
    sent = timezone.now()
    Letter.objects.bulk_create(LetterFactory.build_batch(3000, status="sent", sent_at=sent))
    LetterFactory.create_batch(20)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE accounts_letter")

    assert "letter_waiting" in Letter.objects.due().in_sending_order()[:1].explain()


def test_refusal_speaks_its_class_sentence_or_a_more_exact_one():
    class SoldOut(Refusal):
        message = "Sold out."

    plain, exact = SoldOut(), SoldOut("Only 3 are left.", available=3)

    assert (str(plain), plain.facts) == ("Sold out.", {})
    assert (str(exact), exact.facts) == ("Only 3 are left.", {"available": 3})
    assert str(Refusal()) == "This is not possible right now."
