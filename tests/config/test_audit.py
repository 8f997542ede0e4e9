"""Every act of staff is in the audit log, with who, what, and what it was before; and each house reads its own."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any, TypeAlias

import pytest
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.db.models import Model
from django.test import Client, RequestFactory
from django.utils import timezone

from accounts.models import Act, IdentityCheck, Membership, Organizer, User
from events.models import Event, Tier
from queues.models import Queue
from tests.events.test_admin import form_of, form_of_tier, tier_fields
from tests.factories import (
    AccessCodeFactory,
    ActFactory,
    AdmissionFactory,
    EventFactory,
    IdentityCheckFactory,
    LetterFactory,
    MembershipFactory,
    NoticeFactory,
    OrderFactory,
    QueueFactory,
    TierFactory,
    UserFactory,
    VenueFactory,
)
from tests.queues.test_admin import form_of as queue_form
from tests.statements import counted_statements

pytestmark = pytest.mark.django_db

LOG = "/admin/admin/logentry/"
Way: TypeAlias = "tuple[Callable[[], Model], dict[str, Any]]"


@pytest.fixture
def root(db: None) -> User:
    return UserFactory(email="root@example.org", is_staff=True, is_superuser=True)


@pytest.fixture
def desk(client: Client, root: User) -> Client:
    client.force_login(root)
    return client


def entries() -> list[tuple[str, str, str]]:
    return [
        (entry.user.email, entry.object_repr, entry.get_change_message()) for entry in LogEntry.objects.order_by("pk")
    ]


def draft_queue() -> Queue:
    queue = QueueFactory(published_at=None)
    TierFactory(event=queue.event)
    return queue


def upcoming_queue() -> Queue:
    return QueueFactory(scheduled_start=timezone.now() + timedelta(hours=1))


def busy_queue() -> Queue:
    """Somebody waits, somebody is inside."""
    queue = QueueFactory()
    AdmissionFactory(queue=queue)
    AdmissionFactory(queue=queue, admitted=True)
    return queue


def queue_with_codes() -> Queue:
    return AccessCodeFactory().queue


# Every action and dialog there is: whom it is done to, and what is typed. A new one has to be added here.
WAYS: dict[tuple[str, str], Way] = {
    ("letter", "send_again"): (LetterFactory, {}),
    ("event", "publish"): (lambda: EventFactory(status="draft"), {}),
    ("event", "cancel"): (EventFactory, {}),
    ("event", "recount"): (EventFactory, {}),
    ("queue", "publish"): (draft_queue, {}),
    ("queue", "open_now"): (upcoming_queue, {}),
    ("queue", "pause"): (QueueFactory, {}),
    ("queue", "resume"): (lambda: QueueFactory(paused_at=timezone.now()), {}),
    ("queue", "close"): (QueueFactory, {}),
    ("order", "correct_contact"): (OrderFactory, {"email": "mended@example.org"}),
    ("queue", "message"): (QueueFactory, {"text": "We are late."}),
    ("queue", "notify"): (busy_queue, {"text": "We are late."}),
    ("queue", "pace"): (QueueFactory, {"rate_per_minute": 60, "most_inside": 10}),
    ("queue", "extend"): (busy_queue, {"minutes": 5}),
    ("queue", "make_codes"): (queue_with_codes, {"count": 2, "max_uses": 1}),
    ("queue", "check_code"): (queue_with_codes, {"code": "NONE"}),
    ("queue", "download_codes"): (queue_with_codes, {}),
    ("notice", "stop"): (NoticeFactory, {}),
}


def bulk_actions(model_admin: Any, root: User) -> set[str]:
    request = RequestFactory().get("/")
    request.user = root
    # Django's own, which logs by itself.
    return set(model_admin.get_actions(request)) - {"delete_selected"}


def test_every_action_of_the_admin_is_walked_below(root: User):
    registered: list[Any] = list(admin.site._registry.values())
    found = {
        (model_admin.opts.model_name, name)
        for model_admin in registered
        for name in [
            *bulk_actions(model_admin, root),
            *(action.path for action in model_admin._get_base_actions_detail()),
            *(action.path for action in model_admin._get_base_actions_list()),
            *(action.path for action in model_admin._get_base_actions_row()),
            *(action.path for action in model_admin._get_base_actions_submit_line()),
        ]
    }
    assert found == set(WAYS)


@pytest.mark.parametrize(("model", "action"), sorted(WAYS))
def test_every_action_writes_one_entry(desk: Client, root: User, model: str, action: str):
    make, typed = WAYS[model, action]
    row = make()
    base = f"/admin/{row._meta.app_label}/{model}/"
    before = LogEntry.objects.count()

    if model == "letter":
        desk.post(base, {"action": action, "_selected_action": [row.pk]})
    else:
        desk.post(f"{base}{row.pk}/{action}/", {"_form_submitted": "True", **typed})

    entry = LogEntry.objects.get()
    assert (before, entry.user, entry.content_type.model_class(), entry.object_id) == (  # type: ignore[union-attr]
        0,
        root,
        type(row),
        str(row.pk),
    )
    assert entry.get_change_message() not in {"", "No fields changed."}


def test_act_that_is_refused_is_not_logged(desk: Client, queue: Queue):
    Queue.objects.update(closed_at=timezone.now())
    desk.post(f"/admin/queues/queue/{queue.pk}/pause/", {"_form_submitted": "True"})
    assert entries() == []


def test_entry_says_what_a_form_changed_from_which_value_to_which(client: Client, ada: User, event: Event, floor: Tier):
    client.force_login(ada)
    rows = [{**form_of_tier(floor), "quantity": 80}, {"name": "Balcony", "slug": "balcony", "price": 50, "quantity": 5}]
    typed = form_of(
        event, name="Winter Tour", require_identification="on", **tier_fields([{**rows[0]}, rows[1]], initial=1)
    )
    typed |= {"tiers-1-position": 2, "tiers-1-perks": ""}

    assert client.post(f"/admin/events/event/{event.pk}/change/", typed).status_code == 302

    assert entries() == [
        (
            "ada@example.org",
            "Winter Tour",
            "Name: Fall Tour → Winter Tour; Require identification: no → yes; Floor, Quantity: 100 → 80; Balcony added",
        )
    ]


def test_entry_names_rows_and_choices_and_not_their_keys(client: Client, ada: User, event: Event, queue: Queue):
    client.force_login(ada)
    hall = VenueFactory(organizer=event.organizer, name="Small Hall")
    client.post(f"/admin/events/event/{event.pk}/change/", form_of(event, venue=hall.pk))
    start = f"{queue.scheduled_start.astimezone(event.zone):%Y-%m-%dT%H:%M:%S}"
    typed = queue_form(event, name=queue.name, slug=queue.slug, scheduled_start=start, guests="@example.org")
    client.post(f"/admin/queues/queue/{queue.pk}/change/", typed | {"tiers": [event.tiers.get(slug="vip").pk]})

    first, second = (said for _, _, said in entries())
    assert first == "Venue: Madison Square Garden, New York, NY → Small Hall, New York, NY"
    assert "Kind: General sale → Presale; Tiers: – → VIP" in second
    assert "Audience: – → example.org" in second


def test_decision_about_an_identity_is_logged(desk: Client):
    check: IdentityCheck = IdentityCheckFactory()
    desk.post(f"/admin/accounts/identitycheck/{check.pk}/change/", {"decision": "refused", "explanation": "Too dark."})
    assert entries() == [("root@example.org", "Benjamin Okafor", "Decision: – → Refuse; Reason: – → Too dark.")]


def test_password_is_never_in_the_log(desk: Client, ben: User):
    typed = {"usable_password": "true", "password1": "a new long word", "password2": "a new long word"}
    desk.post(f"/admin/accounts/user/{ben.pk}/password/", typed)
    assert entries() == [("root@example.org", "ben@example.org", "password changed")]


def test_long_value_is_cut(client: Client, ada: User, event: Event):
    client.force_login(ada)
    client.post(f"/admin/events/event/{event.pk}/change/", form_of(event, description="x" * 5000))
    assert entries()[0][2] == f"Description: – → {'x' * 119}…"


def read(client: Client, **asked: Any) -> list[str]:
    return [entry.get_change_message() for entry in client.get(LOG, asked).context["cl"].result_list]


@pytest.fixture
def acts(client: Client, ada: User, queue: Queue) -> list[str]:
    """Two acts of Ada's, and one in another house, the newest first."""
    client.force_login(ada)
    for action in ("pause", "resume"):
        client.post(f"/admin/queues/queue/{queue.pk}/{action}/", {"_form_submitted": "True"})
    other = QueueFactory()
    client.force_login(MembershipFactory(organizer=other.event.organizer, user__email="eve@example.org").user)
    client.post(f"/admin/queues/queue/{other.pk}/close/", {"_form_submitted": "True"})
    client.force_login(ada)
    return ["Closed.", "Resumed.", "Paused."]


def test_staff_read_what_was_done_to_their_rows_and_superusers_all(client: Client, root: User, acts: list[str]):
    assert read(client) == acts[1:]
    client.force_login(root)
    assert read(client) == acts


def test_superuser_s_act_on_a_house_s_row_is_read_by_that_house(desk: Client, ada: User, queue: Queue):
    desk.post(f"/admin/queues/queue/{queue.pk}/pause/", {"_form_submitted": "True"})
    letter = LetterFactory()
    desk.post("/admin/accounts/letter/", {"action": "send_again", "_selected_action": [letter.pk]})
    assert len(entries()) == 2
    desk.force_login(ada)

    assert read(desk) == ["Paused."]


def test_row_that_is_gone_still_says_who_deleted_it(client: Client, ada: User, organizer: Organizer):
    venue = VenueFactory(organizer=organizer, name="Old Hall")
    client.force_login(ada)
    client.post(f"/admin/events/venue/{venue.pk}/delete/", {"post": "yes"})

    page = client.get(LOG).content.decode()
    assert "Old Hall" in page
    assert "Deleted." in page
    assert Act.objects.get().organizer == organizer


def test_log_is_searched_and_filtered_by_person_object_and_day(client: Client, root: User, queue: Queue, acts: list):
    client.force_login(root)
    pause, close = (LogEntry.objects.get(change_message=said) for said in ("Paused.", "Closed."))
    today = timezone.now()

    assert read(client, q="eve@example.org") == ["Closed."]
    assert read(client, q="resumed") == ["Resumed."]
    assert read(client, person=close.user_id) == ["Closed."]
    assert read(client, object=f"{pause.content_type_id}-{queue.pk}") == ["Resumed.", "Paused."]
    assert read(client, kind=pause.content_type_id) == acts
    assert read(client, action_time__year=today.year, action_time__month=today.month) == acts
    assert read(client, action_time__year=2001) == []


@pytest.mark.parametrize("asked", [{"person": "x"}, {"kind": "9" * 30}, {"object": "x-1"}, {"object": "1-x"}])
def test_nonsense_in_the_address_finds_nothing(client: Client, root: User, acts: list[str], asked: dict[str, str]):
    client.force_login(root)
    assert read(client, **asked) == []


def test_filters_offer_only_people_the_reader_may_know_of(client: Client, acts: list[str]):
    page = client.get(LOG).content.decode()
    assert "ada@example.org" in page
    assert "eve@example.org" not in page


def test_nobody_writes_in_the_log_or_takes_an_entry_away(client: Client, root: User, acts: list[str]):
    client.force_login(root)
    entry = LogEntry.objects.latest("pk")
    answers = [
        client.post(f"{LOG}add/").status_code,
        client.post(f"{LOG}{entry.pk}/change/", {"change_message": "x"}).status_code,
        client.post(f"{LOG}{entry.pk}/delete/", {"post": "yes"}).status_code,
    ]
    client.post(LOG, {"action": "delete_selected", "_selected_action": [entry.pk], "post": "yes"})
    client.post(f"/admin/accounts/user/{entry.user_id}/delete/", {"post": "yes"})

    assert (answers, LogEntry.objects.count()) == ([403, 403, 403], 3)


def test_who_stands_at_the_door_reads_no_log(client: Client, organizer: Organizer, acts: list[str]):
    client.force_login(MembershipFactory(organizer=organizer, role=Membership.Role.DOOR).user)
    assert client.get(LOG).status_code in {302, 403}


def test_page_of_the_log_costs_no_more_with_three_entries_than_with_one(client: Client, ada: User, queue: Queue):
    client.force_login(ada)
    costs = []
    for number in (1, 2):
        for _ in range(number):
            ActFactory(organizer=queue.event.organizer, entry__user=ada)
        client.get(LOG)
        with counted_statements() as sent:
            client.get(LOG)
        costs.append(len(sent))
    assert costs[0] == costs[1]
