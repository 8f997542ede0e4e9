"""One factory a model, no surprises: what a test does not name is valid and plain."""

from datetime import timedelta
from decimal import Decimal
from functools import cache

import factory
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.hashers import make_password
from django.utils import timezone
from factory.django import DjangoModelFactory
from payments import PaymentStatus

from accounts.models import Act, IdentityCheck, KeptAnswer, Letter, Membership, Organizer, User
from events.models import Event, Tier, Venue
from orders.models import Line, Order, Payment, Ticket
from queues.conditions import AccessCode
from queues.models import Admission, Allowance, Notice, Queue
from webhooks.models import Endpoint, Fact, FactType

# A hash is slow on purpose; one a word does for all tests.
hashed_once = cache(make_password)


class UserFactory(DjangoModelFactory):
    class Meta:
        model = User

    email = factory.Sequence(lambda n: f"fan{n}@example.org")
    name = factory.Sequence(lambda n: f"Fan {n}")
    password = factory.Transformer("correct horse battery", transform=hashed_once)


class KeptAnswerFactory(DjangoModelFactory):
    class Meta:
        model = KeptAnswer

    user = factory.SubFactory(UserFactory)
    key = factory.Sequence(lambda n: f"key-{n}")
    request_hash = "0" * 64
    status = 201
    body = ""


class OrganizerFactory(DjangoModelFactory):
    class Meta:
        model = Organizer

    name = factory.Sequence(lambda n: f"Organizer {n}")
    slug = factory.Sequence(lambda n: f"organizer-{n}")


class MembershipFactory(DjangoModelFactory):
    class Meta:
        model = Membership

    user = factory.SubFactory(UserFactory, is_staff=True)
    organizer = factory.SubFactory(OrganizerFactory)
    role = Membership.Role.OWNER


class IdentityCheckFactory(DjangoModelFactory):
    """A check that waits for its decision, its photo gone; with `refused=True` one that was refused."""

    class Meta:
        model = IdentityCheck

    class Params:
        refused = factory.Trait(
            status=IdentityCheck.Status.REFUSED,
            decided_at=factory.LazyFunction(timezone.now),
            reason="The photo is too dark to read.",
        )

    user = factory.SubFactory(UserFactory)
    legal_name = "Benjamin Okafor"


class LetterFactory(DjangoModelFactory):
    class Meta:
        model = Letter

    to = factory.Sequence(lambda n: f"fan{n}@example.org")
    subject = "Your tickets"
    text = "Here they are."
    kind = Letter.Kind.NOTICE
    message_id = factory.Sequence(lambda n: f"<letter-{n}@fairline.example>")


class EndpointFactory(DjangoModelFactory):
    """An address that wants to know everything."""

    class Meta:
        model = Endpoint

    organizer = factory.SubFactory(OrganizerFactory)
    url = factory.Sequence(lambda n: f"https://listener{n}.example.org/")
    types = factory.LazyFunction(lambda: list(FactType.values))


class FactFactory(DjangoModelFactory):
    class Meta:
        model = Fact

    organizer = factory.SubFactory(OrganizerFactory)
    type = FactType.QUEUE_SOLD_OUT
    data = factory.LazyFunction(dict)


class LogEntryFactory(DjangoModelFactory):
    class Meta:
        model = LogEntry

    user = factory.SubFactory(UserFactory)
    object_repr = "Somebody"
    action_flag = CHANGE
    change_message = "Changed."


class ActFactory(DjangoModelFactory):
    class Meta:
        model = Act

    entry = factory.SubFactory(LogEntryFactory)
    organizer = factory.SubFactory(OrganizerFactory)


class VenueFactory(DjangoModelFactory):
    class Meta:
        model = Venue

    organizer = factory.SubFactory(OrganizerFactory)
    name = "Madison Square Garden"
    city = "New York, NY"
    capacity = 20_000


class EventFactory(DjangoModelFactory):
    """A published event in thirty days."""

    class Meta:
        model = Event

    organizer = factory.SubFactory(OrganizerFactory)
    venue = factory.SubFactory(VenueFactory, organizer=factory.SelfAttribute("..organizer"))
    name = factory.Sequence(lambda n: f"Concert {n}")
    slug = factory.Sequence(lambda n: f"concert-{n}")
    starts_at = factory.LazyFunction(lambda: timezone.now() + timedelta(days=30))
    doors_at = factory.LazyAttribute(lambda event: event.starts_at - timedelta(hours=1))
    status = Event.Status.PUBLISHED


class TierFactory(DjangoModelFactory):
    class Meta:
        model = Tier

    event = factory.SubFactory(EventFactory)
    name = factory.Sequence(lambda n: f"Tier {n}")
    slug = factory.Sequence(lambda n: f"tier-{n}")
    price = Decimal(100)
    quantity = 100


class QueueFactory(DjangoModelFactory):
    """A published general sale that has opened an hour ago and asks for nothing."""

    class Meta:
        model = Queue

    event = factory.SubFactory(EventFactory)
    name = factory.Sequence(lambda n: f"General sale {n}")
    slug = factory.Sequence(lambda n: f"sale-{n}")
    scheduled_start = factory.LazyFunction(lambda: timezone.now() - timedelta(hours=1))
    published_at = factory.LazyFunction(lambda: timezone.now() - timedelta(days=1))
    enable_captcha = False
    captcha_threshold = "low"


class AdmissionFactory(DjangoModelFactory):
    """A fan in line; with `admitted=True` one whose turn has just begun."""

    class Meta:
        model = Admission

    class Params:
        admitted = factory.Trait(
            status=Admission.Status.ADMITTED,
            admitted_at=factory.LazyFunction(timezone.now),
            window_ends_at=factory.LazyAttribute(lambda row: timezone.now() + row.queue.admission_window),
        )

    queue = factory.SubFactory(QueueFactory)
    user = factory.SubFactory(UserFactory, email_verified_at=factory.LazyFunction(timezone.now))


class NoticeFactory(DjangoModelFactory):
    """A notice to one fan, who has not been told yet."""

    class Meta:
        model = Notice

    queue = factory.SubFactory(QueueFactory)
    text = "We open the doors an hour later."
    created_by = factory.SubFactory(UserFactory)
    reader_count = 1
    last_place = 0


class AllowanceFactory(DjangoModelFactory):
    class Meta:
        model = Allowance

    user = factory.SubFactory(UserFactory)
    event = factory.SubFactory(EventFactory)


class OrderFactory(DjangoModelFactory):
    """An order without lines, for what concerns the row alone; a whole one is made by the services."""

    class Meta:
        model = Order

    admission = factory.SubFactory(AdmissionFactory, admitted=True)
    queue = factory.SelfAttribute("admission.queue")
    event = factory.SelfAttribute("queue.event")
    buyer = factory.SelfAttribute("admission.user")
    currency = "USD"
    subtotal = Decimal(100)
    service_fee = Decimal(10)
    total = Decimal(110)
    hold_ends_at = factory.SelfAttribute("admission.window_ends_at")


class LineFactory(DjangoModelFactory):
    class Meta:
        model = Line

    order = factory.SubFactory(OrderFactory)
    tier = factory.SubFactory(TierFactory, event=factory.SelfAttribute("..order.event"))
    quantity = 1
    unit_price = Decimal(100)
    unit_fee = Decimal(10)


class PaymentFactory(DjangoModelFactory):
    """A payment of the whole order that is open."""

    class Meta:
        model = Payment

    order = factory.SubFactory(OrderFactory)
    variant = "dummy"
    status = PaymentStatus.WAITING
    total = factory.SelfAttribute("order.total")
    currency = factory.SelfAttribute("order.currency")


class TicketFactory(DjangoModelFactory):
    class Meta:
        model = Ticket

    order = factory.SubFactory(OrderFactory)
    event = factory.SelfAttribute("order.event")
    tier = factory.SubFactory(TierFactory, event=factory.SelfAttribute("..event"))
    owner = factory.SelfAttribute("order.buyer")
    holder_name = "Ben"


class AccessCodeFactory(DjangoModelFactory):
    """A code that ten fans may use."""

    class Meta:
        model = AccessCode

    queue = factory.SubFactory(QueueFactory, require_access_code=True)
    code = factory.Sequence(lambda n: f"CODE{n}")
    max_uses = 10
