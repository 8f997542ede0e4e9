"""What a person may read of what is kept, and what is left of it when the account is closed."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from allauth.account.adapter import get_adapter
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.contrib.admin.models import LogEntry
from django.contrib.auth import authenticate
from django.contrib.contenttypes.models import ContentType
from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import Model
from django.utils import timezone

from accounts import closing, photos
from accounts import services as account_services
from accounts.models import IdentityCheck, KeptAnswer, Letter, Organizer, User
from accounts.refusals import Refusal
from events.models import Event, Tier
from orders import services
from orders.models import Order, Payment, Ticket
from orders.refusals import StillHasTickets, StillInLine, StillPaying
from queues import admittance
from queues import services as queue_services
from queues.models import Admission, Guest, Queue, Readiness
from queues.visitors import Visitor
from tests.factories import (
    AdmissionFactory,
    IdentityCheckFactory,
    KeptAnswerFactory,
    LetterFactory,
    LogEntryFactory,
    MembershipFactory,
    OrderFactory,
    UserFactory,
)
from tests.orders.conftest import traces

pytestmark = pytest.mark.django_db

PASSWORD = "correct horse battery"
MODELS: list[type[Model]] = [
    User,
    EmailAddress,
    IdentityCheck,
    KeptAnswer,
    Letter,
    LogEntry,
    Guest,
    Readiness,
    Order,
    Payment,
    Ticket,
]


def everything() -> dict[str, Any]:
    return {model.__name__: list(model._default_manager.order_by("pk").values()) for model in MODELS} | traces()


def pay(payment: Payment) -> Order:
    Payment.objects.filter(pk=payment.pk).update(status="confirmed", captured_amount=payment.total)
    services.settle_payment(payment)
    return Order.objects.get(pk=payment.order_id)


def let_it_be_over(event: Event, **ago: float) -> None:
    then = timezone.now() - timedelta(**ago)
    Event.objects.filter(pk=event.pk).update(starts_at=then, doors_at=then)


@pytest.fixture
def bought(ben: User, payment: Payment, event: Event) -> Order:
    """Ben's order of an event that is over, and everything else that is kept of him."""
    order = pay(payment)
    let_it_be_over(event, days=2)
    EmailAddress.objects.create(user=ben, email="ben@example.org", verified=True, primary=True)
    EmailAddress.objects.create(user=ben, email="benny@example.org")
    IdentityCheckFactory(user=ben, legal_name="Benjamin Okafor", refused=True)
    IdentityCheckFactory(user=ben, legal_name="Benjamin Okafor", photo=photos.keep(b"a photo"))
    Guest.objects.create(queue=order.queue, address="ben@example.org")
    Readiness.objects.create(queue=order.queue, user=ben, has_card=True)
    KeptAnswerFactory(user=ben, key="first try", body='{"email":"ben@example.org"}')
    LetterFactory(to="benny@example.org", kind="verification", text="Hello Ben", last_error="benny@example.org refused")
    return order


def test_closing_takes_the_person_out_of_everything(ben: User, bought: Order):
    services.close_account(ben)

    kept = json.dumps(everything(), cls=DjangoJSONEncoder)
    assert [word for word in ("ben@", "benny@", "Ben", "Bea", "Okafor") if word in kept] == []


def test_order_keeps_amounts_and_dates(ben: User, bought: Order):
    services.close_account(ben)

    kept = Order.objects.get(pk=bought.pk)
    facts = ("status", "total", "subtotal", "service_fee", "currency", "paid_at", "created_at", "code", "buyer_id")
    assert [getattr(kept, fact) for fact in facts] == [getattr(bought, fact) for fact in facts]
    assert (kept.email, kept.holders) == ("", [])
    assert [(ticket.holder_name, ticket.status) for ticket in kept.tickets.all()] == [("", "valid")] * 2
    payment = Payment.objects.get()
    assert (payment.total, payment.billing_email, payment.status) == (bought.total, "", "confirmed")
    admission = Admission.objects.get()
    assert (admission.status, admission.user_id, admission.order_code) == ("completed", ben.pk, bought.code)


def test_answers_kept_for_others_stay(ben: User, cleo: User, bought: Order):
    theirs = KeptAnswerFactory(user=cleo, key="first try")

    services.close_account(ben)

    assert list(KeptAnswer.objects.all()) == [theirs]


def test_closed_account_is_nobodys(ben: User, bought: Order):
    services.close_account(ben)

    closed = User.objects.get(pk=ben.pk)
    assert closed.email == closing.anonymous_address(ben)
    assert closed.email.endswith(".invalid")
    assert (closed.name, closed.is_active, closed.is_closed, closed.has_usable_password()) == ("", False, True, False)
    assert (closed.email_verified_at, closed.identity_verified_at, closed.last_login) == (None, None, None)
    assert authenticate(email="ben@example.org", password=PASSWORD) is None
    assert not EmailAddress.objects.filter(user=ben).exists()


def test_same_address_can_sign_up_anew(ben: User, bought: Order):
    services.close_account(ben)

    anew = User.objects.create_user("ben@example.org", PASSWORD)
    assert (anew.pk != ben.pk, Order.objects.for_buyer(anew).count()) == (True, 0)


def test_guest_list_goes_on_being_one(ben: User, bought: Order):
    """A queue whose last guest were deleted would be for everybody."""
    services.close_account(ben)

    assert list(Guest.objects.values_list("address", flat=True)) == [closing.anonymous_address(ben)]


def test_photo_goes_with_the_account(ben: User, django_capture_on_commit_callbacks):
    check = IdentityCheckFactory(user=ben, photo=photos.keep(b"a photo"))
    with django_capture_on_commit_callbacks(execute=True):
        services.close_account(ben)

    with pytest.raises(FileNotFoundError):
        photos.read(check.photo)


def test_letter_of_a_closed_account_does_not_go_out(ben: User):
    waiting, sent = LetterFactory(to=ben.email), LetterFactory(to=ben.email, status="sent", sent_at=timezone.now())
    elsewhere = LetterFactory(to="cleo@example.org", text="Hello Cleo")
    services.close_account(ben)

    now = {letter.pk: (letter.to, letter.text, letter.status) for letter in Letter.objects.all()}
    address = closing.anonymous_address(ben)
    assert now == {
        waiting.pk: (address, "", "withdrawn"),
        sent.pk: (address, "", "sent"),
        elsewhere.pk: ("cleo@example.org", "Hello Cleo", "queued"),
    }


def test_letter_to_a_contact_address_goes_only_where_it_names_the_order(ben: User, bought: Order):
    """The address for an order may be somebody else's, who has letters, too."""
    Order.objects.filter(pk=bought.pk).update(email="cleo@example.org")
    named = LetterFactory(to="cleo@example.org", text=f"Your number is {bought.code}.")
    own = LetterFactory(to="cleo@example.org", text="Hello Cleo")
    services.close_account(ben)

    assert [Letter.objects.get(pk=letter.pk).text for letter in (named, own)] == ["", "Hello Cleo"]


def test_audit_log_keeps_the_act_and_loses_the_name(ben: User):
    kind = ContentType.objects.get_for_model(User)
    entry = LogEntryFactory(
        content_type=kind, object_id=ben.pk, object_repr="ben@example.org", change_message="Name: Bob → Ben"
    )
    other = LogEntryFactory(content_type=kind, object_id=entry.user_id, change_message="Name: Eve → Ann")
    services.close_account(ben)

    now = {row.pk: (row.object_repr, row.change_message) for row in LogEntry.objects.all()}
    assert now == {
        entry.pk: (closing.anonymous_address(ben), ""),
        other.pk: (other.object_repr, "Name: Eve → Ann"),
    }


def test_ticket_that_somebody_else_owns_keeps_its_holder(ben: User, cleo: User, bought: Order):
    given = Ticket.objects.order_by("pk")[0]
    Ticket.objects.filter(pk=given.pk).update(owner=cleo, holder_name="Cleo Lang")
    services.close_account(ben)

    assert Ticket.objects.get(pk=given.pk).holder_name == "Cleo Lang"


def wait_in_line(ben: User, queue: Queue) -> None:
    AdmissionFactory(queue=queue, user=ben)


def hold(ben: User, queue: Queue) -> Order:
    return OrderFactory(admission=AdmissionFactory(queue=queue, user=ben, admitted=True, has_hold=True))


def begin_to_pay(ben: User, queue: Queue) -> None:
    services.start_payment(hold_in_earnest(ben, queue), holders=["Ben"], email=ben.email)


def hold_in_earnest(ben: User, queue: Queue) -> Order:
    from_line = AdmissionFactory(queue=queue, user=ben, admitted=True)
    token = admittance.token_for(from_line)
    return services.hold_tickets(user=ben, token=token, wanted={"floor": 1})


def money_arrives_late(ben: User, queue: Queue) -> None:
    begin_to_pay(ben, queue)
    Payment.objects.update(status="confirmed")
    Admission.objects.update(status="expired", has_hold=False)
    Order.objects.update(status="lapsed")


def buy(ben: User, queue: Queue) -> None:
    begin_to_pay(ben, queue)
    pay(Payment.objects.get())


def buy_for_today(ben: User, queue: Queue) -> None:
    buy(ben, queue)
    let_it_be_over(queue.event, hours=23)


def work_for_ada(ben: User, queue: Queue) -> None:
    MembershipFactory(user=ben, organizer=queue.event.organizer, role="door")


def be_staff(ben: User, queue: Queue) -> None:
    User.objects.filter(pk=ben.pk).update(is_staff=True)


OBSTACLES: dict[Callable[[User, Queue], object], type[Refusal]] = {
    wait_in_line: StillInLine,
    hold: StillInLine,
    begin_to_pay: StillPaying,
    money_arrives_late: StillPaying,
    buy: StillHasTickets,
    buy_for_today: StillHasTickets,
    work_for_ada: closing.AccountOfStaff,
    be_staff: closing.AccountOfStaff,
}


@pytest.mark.parametrize("prepare", OBSTACLES, ids=lambda prepare: prepare.__name__)
def test_account_with_something_open_is_not_closed(ben: User, queue: Queue, prepare: Callable):
    prepare(ben, queue)
    before = everything()

    with pytest.raises(OBSTACLES[prepare]):
        services.close_account(ben)

    assert everything() == before


@pytest.mark.parametrize("status", ["used", "void"])
def test_tickets_that_let_nobody_in_do_not_keep_the_account_open(ben: User, queue: Queue, status: str):
    buy(ben, queue)
    Ticket.objects.update(status=status)
    services.close_account(ben)

    assert User.objects.get(pk=ben.pk).is_closed


def test_tickets_of_a_cancelled_event_do_not_keep_the_account_open(ben: User, queue: Queue):
    buy(ben, queue)
    Event.objects.update(status=Event.Status.CANCELLED)
    services.close_account(ben)
    Letter.objects.all().delete()

    assert (services.tell_next_buyers(), Letter.objects.count()) == (0, 0)


def test_closed_account_is_closed_once(ben: User):
    services.close_account(ben)
    before = everything()

    with pytest.raises(closing.AccountClosed):
        services.close_account(ben)

    assert everything() == before


def test_money_that_comes_after_the_closing_goes_back_without_a_letter(ben: User, payment: Payment, order: Order):
    services.cancel_payment(order)
    services.leave_line(order.admission)
    services.close_account(ben)
    Payment.objects.update(status="confirmed", captured_amount=payment.total)

    services.settle_payment(payment)

    late = Payment.objects.get()
    assert (late.refund_due_at is not None, late.refund_reason) == (True, "OrderNotPayable")
    assert (Ticket.objects.count(), Letter.objects.count(), Order.objects.get().status) == (0, 0, "cancelled")


def test_closed_account_begins_nothing(ben: User, queue: Queue):
    services.close_account(ben)
    for begin in (
        lambda: queue_services.join_queue(queue, ben),
        lambda: account_services.change_email(ben, email="ben@example.org"),
        lambda: get_adapter().set_password(ben, "another long secret"),
    ):
        before = everything()
        with pytest.raises(closing.AccountClosed):
            begin()
        assert everything() == before


def test_second_factors_are_told_without_their_secrets_and_go_with_the_account(ben: User):
    Authenticator.objects.create(user=ben, type="totp", data={"secret": "very"})

    assert [sorted(row) for row in services.read_own_data(ben)["second_factors"]] == [
        ["created_at", "last_used_at", "type"]
    ]
    services.close_account(ben)
    assert Authenticator.objects.count() == 0


def test_closed_account_takes_no_place_along(ben: User, queue: Queue):
    Queue.objects.update(require_authentication=False)
    queue_services.join_as_visitor(queue, visitor := Visitor())
    services.close_account(ben)
    before = everything()

    with pytest.raises(closing.AccountClosed):
        queue_services.take_place_along(queue, visitor, ben)

    assert everything() == before


def test_own_data_is_everything_that_is_kept(ben: User, bought: Order, floor: Tier):
    own = json.loads(json.dumps(services.read_own_data(ben), cls=DjangoJSONEncoder))

    assert sorted(own) == [
        "access_codes_used",
        "account",
        "admissions",
        "email_addresses",
        "identity_checks",
        "invitations",
        "kept_answers",
        "letters",
        "orders",
        "second_factors",
        "shown_before_joining",
        "tickets",
    ]
    assert (own["account"]["email"], own["account"]["name"]) == ("ben@example.org", "Ben")
    assert [row["email"] for row in own["email_addresses"]] == ["ben@example.org", "benny@example.org"]
    assert [(row["legal_name"], row["photo_is_kept"]) for row in own["identity_checks"]] == [
        ("Benjamin Okafor", False),
        ("Benjamin Okafor", True),
    ]
    assert [(row["to"], row["status"]) for row in own["letters"]] == [
        ("ben@example.org", "queued"),
        ("benny@example.org", "queued"),
    ]
    (order,) = own["orders"]
    assert (order["confirmation_number"], order["holders"], order["total"]) == (bought.code, ["Ben", "Bea"], "330.00")
    assert order["lines"] == [{"tier": "Floor", "quantity": 2, "price": "150.00", "service_fee": "15.00"}]
    assert [row["total"] for row in order["payments"]] == ["330.00"]
    assert [row["holder"] for row in own["tickets"]] == ["Ben", "Bea"]
    assert [(row["line"], row["status"]) for row in own["admissions"]] == [("General sale", "completed")]
    assert own["invitations"] == [{"line": "General sale", "address": "ben@example.org"}]
    assert [row["has_card"] for row in own["shown_before_joining"]] == [True]
    assert [(row["key"], row["status"]) for row in own["kept_answers"]] == [("first try", 201)]


def test_own_data_opens_no_door_and_names_nobody_else(ben: User, cleo: User, bought: Order, organizer: Organizer):
    judge = UserFactory(email="judge@example.org", is_staff=True)
    IdentityCheck.objects.filter(status="refused").update(decided_by=judge)
    LetterFactory(to=cleo.email, text="Hello Cleo")

    own = json.dumps(services.read_own_data(ben), cls=DjangoJSONEncoder)

    secrets = [*Ticket.objects.values_list("code", flat=True), User.objects.get(pk=ben.pk).password]
    assert [word for word in ("cleo", "judge", *secrets) if word in own] == []
