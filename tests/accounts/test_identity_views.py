"""The page of an identity check, and the desk where it is decided."""

from collections.abc import Callable
from pathlib import Path

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries, Settings

from accounts import photos, services
from accounts.models import IdentityCheck, Letter, User
from tests.accounts.pictures import BAD_FILES, photo, upload
from tests.factories import IdentityCheckFactory, MembershipFactory, UserFactory

pytestmark = pytest.mark.django_db

PAGE = "/account/identity/"
LIST = "/admin/accounts/identitycheck/"


@pytest.fixture(autouse=True)
def folder(settings: Settings, tmp_path: Path) -> Path:
    """An empty folder of photos."""
    settings.IDENTITY_ROOT = tmp_path
    return tmp_path


@pytest.fixture
def bens(client: Client, ben: User) -> Client:
    """A browser in which Ben is signed in."""
    client.force_login(ben)
    return client


@pytest.fixture
def roots(db: None) -> Client:
    """A browser in which one of the platform's staff is signed in."""
    client = Client()
    client.force_login(UserFactory(is_staff=True, is_superuser=True))
    return client


@pytest.fixture
def check(ben: User) -> IdentityCheck:
    """What Ben has sent."""
    return services.submit_identity(ben, legal_name="Benjamin Okafor", photo=upload(photo()))


def text_of(client: Client, address: str = PAGE) -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return answer.content.decode()


def test_stranger_is_asked_to_sign_in_first(client: Client):
    answer = client.get(PAGE)

    assert (answer.status_code, answer["Location"]) == (302, f"/account/login/?next={PAGE}")


def test_page_says_what_happens_with_the_photo_and_asks_for_it(bens: Client):
    text = text_of(bens)

    assert 'enctype="multipart/form-data"' in text
    assert 'accept="image/jpeg,image/png,image/webp"' in text
    for promise in ("No organiser does.", "private folder", "after 30 days at the latest"):
        assert promise in text


def test_menu_leads_to_the_page(bens: Client):
    assert f'href="{PAGE}"' in text_of(bens, "/")


def test_fan_sends_name_and_photo_and_reads_that_it_waits(bens: Client):
    answer = bens.post(PAGE, {"legal_name": "Benjamin Okafor", "photo": upload(photo()), "next": "/tickets/"})

    assert (answer.status_code, answer["Location"]) == (302, f"{PAGE}?next=%2Ftickets%2F")
    text = text_of(bens, answer["Location"])
    assert "We are looking at it" in text
    assert "Benjamin Okafor" in text
    assert 'href="/tickets/"' in text
    assert "<form" not in text.partition("<main")[2]
    assert IdentityCheck.objects.get().status == "pending"


def test_fan_of_an_instant_provider_is_verified_and_led_on(bens: Client, settings: Settings):
    settings.IDENTITY_PROVIDER = "instant"
    assert "This demo approves everybody at once" in text_of(bens)

    answer = bens.post(PAGE, {"legal_name": "Ben", "photo": upload(photo()), "next": "/tickets/"}, follow=True)

    text = answer.content.decode()
    assert "Your identity is verified." in text
    assert 'class="button" href="/tickets/"' in text


@pytest.mark.parametrize("elsewhere", ["https://example.org/", "//example.org/", "javascript:alert(1)"])
def test_page_leads_on_to_pages_of_ours_only(bens: Client, ben: User, elsewhere: str):
    services.mark_identity_verified(ben)

    assert "example.org/" not in text_of(bens, f"{PAGE}?next={elsewhere}")
    assert "alert(1)" not in text_of(bens, f"{PAGE}?next={elsewhere}")


@pytest.mark.parametrize(("make", "code"), BAD_FILES.values(), ids=BAD_FILES)
def test_file_that_is_no_photo_is_refused_in_clear_words(
    bens: Client, folder: Path, make: Callable[[], bytes], code: str
):
    answer = bens.post(PAGE, {"legal_name": "Benjamin Okafor", "photo": upload(make())})

    words = {
        "photo_not_readable": (422, "This file cannot be read as a photo. Please send a JPEG, PNG or WebP picture."),
        "photo_too_large": (413, "This photo is too large. Please send one of at most 8 MB and 50 megapixels."),
    }
    status, sentence = words[code]
    text = answer.content.decode()
    assert (answer.status_code, answer["X-Refusal"]) == (status, code)
    assert sentence in text
    assert 'value="Benjamin Okafor"' in text
    assert (IdentityCheck.objects.count(), list(folder.iterdir())) == (0, [])


def test_fan_who_sends_file_after_file_waits_an_hour(bens: Client, folder: Path, cleo: User):
    def send(client: Client, data: bytes) -> int:
        return client.post(PAGE, {"legal_name": "Benjamin Okafor", "photo": upload(data)}).status_code

    found = [send(bens, b"this is me") for _ in range(services.PHOTOS_AT_MOST)]
    answer = bens.post(PAGE, {"legal_name": "Benjamin Okafor", "photo": upload(photo())})

    assert found == [422] * services.PHOTOS_AT_MOST
    assert (answer.status_code, answer["X-Refusal"], answer["Retry-After"]) == (429, "throttled", "3600")
    assert 'value="Benjamin Okafor"' in answer.content.decode()
    assert (IdentityCheck.objects.count(), list(folder.iterdir())) == (0, [])
    bens.force_login(cleo)
    assert send(bens, photo()) == 302


@pytest.mark.usefixtures("dead_redis")
def test_photo_is_taken_without_redis(ben: User, folder: Path):
    check = services.submit_identity(ben, legal_name="Benjamin Okafor", photo=upload(photo()))

    assert [path.name for path in folder.iterdir()] == [check.photo]


@pytest.mark.parametrize("given", [{}, {"legal_name": " "}, {"legal_name": "Ben", "photo": ""}, {"legal_name": "B\0n"}])
def test_form_says_what_is_missing(bens: Client, folder: Path, given: dict):
    answer = bens.post(PAGE, given)

    assert answer.status_code == 400
    assert "Please check what you entered." in answer.content.decode()
    assert (IdentityCheck.objects.count(), list(folder.iterdir())) == (0, [])


def test_second_submission_is_refused_and_the_page_says_that_the_first_waits(
    bens: Client, check: IdentityCheck, folder: Path
):
    answer = bens.post(PAGE, {"legal_name": "Ben", "photo": upload(photo())})

    assert (answer.status_code, answer["X-Refusal"]) == (409, "identity_check_pending")
    assert "We are looking at it" in answer.content.decode()
    assert [path.name for path in folder.iterdir()] == [check.photo]


def test_refused_fan_reads_why_and_may_try_again(bens: Client, ben: User):
    IdentityCheckFactory(user=ben, refused=True)

    text = text_of(bens)

    assert "The photo is too dark to read." in text
    assert 'enctype="multipart/form-data"' in text


def test_fan_sees_the_own_check_only(bens: Client):
    IdentityCheckFactory(legal_name="Cleo Stone")

    assert "Cleo Stone" not in text_of(bens)


# The desk


def photo_page(check: IdentityCheck) -> str:
    return reverse("admin:accounts_identitycheck_photo", args=[check.pk])


def test_platform_s_staff_see_the_photo_and_it_runs_nowhere(roots: Client, check: IdentityCheck):
    answer = roots.get(photo_page(check))

    assert (answer.status_code, answer.content) == (200, photos.read(check.photo))
    assert {name: answer[name] for name in ("Content-Type", "Content-Disposition", "X-Content-Type-Options")} == {
        "Content-Type": "image/jpeg",
        "Content-Disposition": f'attachment; filename="identity-{check.pk}.jpg"',
        "X-Content-Type-Options": "nosniff",
    }
    assert answer["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert "no-store" in answer["Cache-Control"]
    assert photo_page(check) in text_of(roots, f"{LIST}{check.pk}/change/")


def test_photo_is_not_there_for_anybody_else(check: IdentityCheck, ben: User, cleo: User, ada: User):
    found = []
    for user in (None, ben, cleo, ada, UserFactory(is_superuser=True), UserFactory(is_staff=True)):
        client = Client()
        if user:
            client.force_login(user)
        found.append(client.get(photo_page(check)).status_code)

    assert found == [404] * 6


def test_photo_lies_under_no_address_of_uploads(client: Client, check: IdentityCheck):
    addresses = [f"/media/{check.photo}", f"/media/../identity/{check.photo}"]

    assert [client.get(address).status_code for address in addresses] == [404, 400]


def test_photo_that_is_gone_is_not_found(roots: Client, check: IdentityCheck):
    photos.remove(check.photo)

    assert roots.get(photo_page(check)).status_code == 404
    IdentityCheck.objects.update(photo="")
    assert roots.get(photo_page(check)).status_code == 404
    assert "Deleted" in text_of(roots, f"{LIST}{check.pk}/change/")


def test_organizer_s_staff_see_nothing_and_decide_nothing(check: IdentityCheck, client: Client, ada: User):
    client.force_login(ada)
    change = f"{LIST}{check.pk}/change/"

    answers = [client.get(LIST), client.get(change), client.get(f"{LIST}{check.pk}/history/")]
    answers.append(client.post(change, {"decision": "approved", "explanation": "Mine."}))

    assert [answer.status_code for answer in answers] == [403] * 4
    assert "identitycheck" not in text_of(client, "/admin/")
    check.refresh_from_db()
    assert check.is_pending


@pytest.mark.parametrize(("decision", "is_verified"), [("approved", True), ("refused", False)])
def test_platform_s_staff_decide_with_a_reason(
    roots: Client, check: IdentityCheck, ben: User, decision: str, is_verified: bool
):
    change = f"{LIST}{check.pk}/change/"
    silent = roots.post(change, {"decision": decision, "explanation": " "})
    assert (silent.status_code, IdentityCheck.objects.get().status) == (200, "pending")

    answer = roots.post(change, {"decision": decision, "explanation": "Seen."})

    assert answer.status_code == 302
    check.refresh_from_db()
    ben.refresh_from_db()
    assert (check.status, check.reason, ben.is_identity_verified) == (decision, "Seen.", is_verified)
    assert (check.decided_by, Letter.objects.count()) == (User.objects.get(is_superuser=True), 1)
    assert LogEntry.objects.get().object_id == str(check.pk)
    assert roots.post(change, {"decision": "approved", "explanation": "Again."}).status_code == 403


def test_platform_s_staff_neither_make_nor_remove_checks(roots: Client, check: IdentityCheck):
    pages = [f"{LIST}add/", f"{LIST}{check.pk}/delete/"]

    assert [roots.get(page).status_code for page in pages] == [403, 403]
    assert "Delete selected" not in text_of(roots, LIST)


@pytest.mark.parametrize("count", [1, 3])
def test_list_of_checks_costs_the_same_however_many_there_are(
    roots: Client, django_assert_num_queries: DjangoAssertNumQueries, count: int
):
    decider = MembershipFactory().user
    for _ in range(count):
        IdentityCheckFactory(refused=True, decided_by=decider)

    with django_assert_num_queries(4):
        roots.get(LIST)
