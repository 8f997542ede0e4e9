"""Identity checks: sent, decided, and their photos removed."""

import os
import time
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
from django.db import IntegrityError, transaction
from django.db.models.functions import Now
from pytest_django import Settings

from accounts import photos, services, tasks
from accounts.models import IdentityCheck, Letter, User
from accounts.refusals import Refusal
from tests.accounts.pictures import BAD_FILES, photo, upload
from tests.factories import IdentityCheckFactory, MembershipFactory, UserFactory
from tests.racing import meeting, race
from tests.statements import counted_statements

pytestmark = pytest.mark.django_db

APPROVED, REFUSED = IdentityCheck.Status.APPROVED, IdentityCheck.Status.REFUSED


@pytest.fixture(autouse=True)
def folder(settings: Settings, tmp_path: Path) -> Path:
    """An empty folder of photos."""
    settings.IDENTITY_ROOT = tmp_path
    return tmp_path


@pytest.fixture
def root(db: None) -> User:
    return UserFactory(is_staff=True, is_superuser=True)


@pytest.fixture
def check(ben: User) -> IdentityCheck:
    """What Ben has sent."""
    return services.submit_identity(ben, legal_name="Benjamin Okafor", photo=upload(photo()))


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def everything(folder: Path) -> list:
    models = (IdentityCheck, User, Letter)
    return [*(list(model._default_manager.order_by("pk").values()) for model in models), files(folder)]


def refused(folder: Path, act: Callable[[], object]) -> Refusal:
    before = everything(folder)
    with pytest.raises(Refusal) as refusal:
        act()
    assert everything(folder) == before
    return refusal.value


def test_submission_waits_for_a_decision(folder: Path, ben: User):
    sent = services.submit_identity(ben, legal_name="  Benjamin \n Okafor ", photo=upload(photo()))

    check = IdentityCheck.objects.get()
    assert (check, check.user, check.legal_name, check.status) == (sent, ben, "Benjamin Okafor", "pending")
    assert (check.reason, check.decided_at, check.decided_by) == ("", None, None)
    assert files(folder) == [check.photo]
    assert photos.read(check.photo).startswith(b"\xff\xd8")
    ben.refresh_from_db()
    assert (ben.is_identity_verified, Letter.objects.count()) == (False, 0)


@pytest.mark.parametrize(("make", "code"), BAD_FILES.values(), ids=BAD_FILES)
def test_submission_without_a_photo_leaves_no_trace(folder: Path, ben: User, make: Callable[[], bytes], code: str):
    refused(folder, partial(services.submit_identity, ben, legal_name="Ben", photo=upload(make())))


def test_fan_has_one_open_check(folder: Path, check: IdentityCheck, ben: User):
    again = partial(services.submit_identity, ben, legal_name="Ben", photo=upload(photo()))

    assert type(refused(folder, again)) is services.IdentityCheckPending
    with pytest.raises(IntegrityError, match="fan_has_one_open_or_approved"), transaction.atomic():
        IdentityCheckFactory(user=ben)


def test_verified_fan_need_not_send_anything(folder: Path, ben: User):
    services.mark_identity_verified(ben)
    again = partial(services.submit_identity, ben, legal_name="Ben", photo=upload(photo()))

    assert type(refused(folder, again)) is services.IdentityAlreadyVerified


def test_approval_verifies_the_fan_and_tells(check: IdentityCheck, ben: User, root: User):
    services.decide_identity(check, status=APPROVED, reason="The passport fits.", by=root)

    check.refresh_from_db()
    ben.refresh_from_db()
    assert (check.status, check.reason, check.decided_by) == ("approved", "The passport fits.", root)
    assert (check.decided_at is not None, ben.is_identity_verified) == (True, True)
    letter = Letter.objects.get()
    assert (letter.to, letter.kind, letter.subject) == (ben.email, "notice", "Your identity is verified")
    assert "We delete the photo" in letter.text
    assert "We delete the photo" in letter.html


def test_refusal_tells_why_and_lets_the_fan_try_again(check: IdentityCheck, ben: User, root: User):
    services.decide_identity(check, status=REFUSED, reason="Too dark <to> read.", by=root)

    check.refresh_from_db()
    ben.refresh_from_db()
    assert (check.status, check.reason, ben.is_identity_verified) == ("refused", "Too dark <to> read.", False)
    letter = Letter.objects.get()
    assert (letter.to, letter.subject) == (ben.email, "Your identity could not be verified")
    assert "Too dark <to> read." in letter.text
    assert "Too dark &lt;to&gt; read." in letter.html
    assert "http://127.0.0.1:8000/account/identity/" in letter.text.splitlines()
    again = services.submit_identity(ben, legal_name="Ben", photo=upload(photo()))
    assert services.find_identity_check(ben) == again


@pytest.mark.parametrize("status", [APPROVED, REFUSED])
def test_check_is_decided_once(folder: Path, check: IdentityCheck, root: User, status: str):
    services.decide_identity(check, status=status, reason="Seen.", by=root)

    again = partial(services.decide_identity, check, status=APPROVED, reason="Seen again.", by=root)

    assert type(refused(folder, again)) is services.IdentityCheckDecided


@pytest.mark.parametrize("rights", [{"is_staff": False}, {"is_active": False}, {"is_superuser": False}])
def test_only_the_platform_s_staff_decide(folder: Path, check: IdentityCheck, root: User, rights: dict):
    User.objects.filter(pk=root.pk).update(**rights)
    root.refresh_from_db()
    decide = partial(services.decide_identity, check, status=APPROVED, reason="Mine.", by=root)

    assert type(refused(folder, decide)) is services.NotPlatformStaff


def test_owner_of_an_organizer_decides_nothing(folder: Path, check: IdentityCheck):
    decide = partial(services.decide_identity, check, status=APPROVED, reason="Mine.", by=MembershipFactory().user)

    assert type(refused(folder, decide)) is services.NotPlatformStaff


def test_instant_provider_approves_at_once_and_keeps_no_photo(folder: Path, settings: Settings, ben: User):
    settings.IDENTITY_PROVIDER = "instant"

    services.submit_identity(ben, legal_name="Ben", photo=upload(photo()))

    check = IdentityCheck.objects.get()
    ben.refresh_from_db()
    assert (check.status, check.photo, check.decided_by, files(folder)) == ("approved", "", None, [])
    assert ben.is_identity_verified
    assert Letter.objects.get().subject == "Your identity is verified"


@pytest.mark.parametrize(("make", "code"), BAD_FILES.values(), ids=BAD_FILES)
def test_instant_provider_takes_photos_only(
    folder: Path, settings: Settings, ben: User, make: Callable[[], bytes], code: str
):
    settings.IDENTITY_PROVIDER = "instant"
    refused(folder, partial(services.submit_identity, ben, legal_name="Ben", photo=upload(make())))


# What becomes of photos


def test_photo_goes_once_its_check_is_decided(folder: Path, check: IdentityCheck, root: User):
    other = services.submit_identity(UserFactory(), legal_name="Cleo", photo=upload(photo()))
    services.decide_identity(check, status=REFUSED, reason="Too dark.", by=root)
    assert len(files(folder)) == 2

    tasks.remove_decided_photos()

    check.refresh_from_db()
    other.refresh_from_db()
    assert (check.photo, files(folder)) == ("", [other.photo])


def test_removal_that_was_cut_short_is_finished_by_the_next(folder: Path, check: IdentityCheck, root: User):
    services.decide_identity(check, status=APPROVED, reason="Fits.", by=root)
    photos.remove(check.photo)

    tasks.remove_decided_photos()

    check.refresh_from_db()
    assert check.photo == ""


def test_photo_that_cannot_be_removed_keeps_its_name_and_stops_no_other(
    folder: Path, check: IdentityCheck, root: User, caplog: pytest.LogCaptureFixture
):
    other = services.submit_identity(UserFactory(), legal_name="Cleo", photo=upload(photo()))
    for each in (check, other):
        services.decide_identity(each, status=REFUSED, reason="Too dark.", by=root)
    stuck = folder / check.photo
    stuck.unlink()
    stuck.mkdir()

    tasks.remove_decided_photos()

    check.refresh_from_db()
    other.refresh_from_db()
    assert (check.photo, other.photo, files(folder)) == (stuck.name, "", [stuck.name])
    assert f"The photo of identity check {check.pk} could not be removed" in caplog.text


@pytest.mark.parametrize(("age", "kept"), [(timedelta(days=30, seconds=-5), True), (timedelta(days=30), False)])
def test_photo_is_kept_for_thirty_days(folder: Path, check: IdentityCheck, ben: User, age: timedelta, kept: bool):
    IdentityCheck.objects.update(submitted_at=Now() - age)

    tasks.refuse_overdue_identity_checks()
    tasks.remove_decided_photos()

    check.refresh_from_db()
    ben.refresh_from_db()
    assert (check.is_pending, len(files(folder)), check.decided_by) == (kept, int(kept), None)
    assert not ben.is_identity_verified
    assert ["Please send it again." in letter.text for letter in Letter.objects.all()] == [True] * (not kept)


def test_photo_that_no_check_names_goes_after_an_hour(folder: Path, check: IdentityCheck):
    orphan, new = photos.keep(b"cut short"), photos.keep(b"on its way")
    for name in (orphan, check.photo):
        os.utime(folder / name, (time.time() - 3610,) * 2)

    tasks.remove_orphaned_photos()

    assert files(folder) == sorted([check.photo, new])


@pytest.mark.parametrize("others", [0, 3])
def test_looking_for_orphans_asks_once_however_many_photos_there_are(folder: Path, check: IdentityCheck, others: int):
    for name in [check.photo, *(photos.keep(b"cut short") for _ in range(others))]:
        os.utime(folder / name, (time.time() - 3610,) * 2)

    with counted_statements() as sent:
        tasks.remove_orphaned_photos()

    assert (len(sent), files(folder)) == (1, [check.photo])


def test_photo_of_a_removed_account_goes_too(folder: Path, check: IdentityCheck, ben: User):
    os.utime(folder / check.photo, (time.time() - 3610,) * 2)
    ben.delete()

    tasks.remove_orphaned_photos()

    assert files(folder) == []


# At the same instant


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("provider", ["manual", "instant"])
def test_fan_who_sends_it_from_several_tabs_has_one_check(
    folder: Path, settings: Settings, ben: User, monkeypatch: pytest.MonkeyPatch, provider: str
):
    settings.IDENTITY_PROVIDER = provider
    # All of them have asked whether they may before the first one writes.
    monkeypatch.setattr(photos, "redraw", meeting(photos.redraw, 4))

    outcomes = race(lambda _: services.submit_identity(ben, legal_name="Ben", photo=upload(photo())), 4)

    checks = list(IdentityCheck.objects.all())
    assert len(checks) == 1
    assert files(folder) == [check.photo for check in checks if check.photo]
    assert sum(isinstance(outcome, IdentityCheck) for outcome in outcomes) == 1
    answer = services.IdentityCheckPending if provider == "manual" else services.IdentityAlreadyVerified
    assert sum(isinstance(outcome, answer) for outcome in outcomes) == 3
    assert Letter.objects.count() == (provider == "instant")


@pytest.mark.django_db(transaction=True)
def test_two_who_decide_at_once_decide_once(check: IdentityCheck, root: User):
    outcomes = race(lambda _: services.decide_identity(check, status=APPROVED, reason="Fits.", by=root), 3)

    assert sum(isinstance(outcome, services.IdentityCheckDecided) for outcome in outcomes) == 2
    assert Letter.objects.count() == 1
