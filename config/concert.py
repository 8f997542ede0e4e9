"""The concert of the reference document, its dates moved to the near future: what the demo and the rehearsal sell."""

import zoneinfo
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal

from django.db import transaction

from accounts import services as account_services
from accounts.models import Membership, Organizer, User
from events import services as event_services
from events.models import Event, Tier, Venue
from queues import services as queue_services
from queues.conditions import AccessCode, CaptchaThreshold, CardPrefix, CardProgramme
from queues.models import Queue

EVENT_SLUG = "concert-2024-fall-tour"
QUEUE_SLUG = f"tickets-{EVENT_SLUG}"
RECITAL_SLUG = "winter-strings-chicago"

FRIDAY = 4
# The general sale's, as in the reference.
RATE_PER_MINUTE = 300


@dataclass(frozen=True)
class Account:
    """Somebody who can sign in to the demo."""

    part: str
    email: str
    password: str
    name: str


@dataclass(frozen=True)
class Presale:
    """A sale before the general one, for those with a code or with certain cards."""

    name: str
    slug: str
    code: str = ""
    fans: int = 0
    about: str = ""
    cards: tuple[str, ...] = ()
    inside: int = 100


ORGANISER = Account("organiser", "ada@example.com", "curtain-rises-at-eight", "Ada Marlow")
FAN = Account("fan", "ben@example.com", "front-row-on-friday", "Ben Okafor")
SUPERUSER = Account("superuser", "root@example.com", "keys-to-the-whole-house", "Rita Stone")
ACCOUNTS = [ORGANISER, FAN, SUPERUSER]

TIERS = [
    Tier(
        name="VIP Experience",
        slug="vip",
        price=Decimal(500),
        quantity=500,
        description="Premium seating + meet & greet",
        perks=["Meet & Greet", "Early entry", "Exclusive merch", "Premium seating"],
    ),
    Tier(
        name="Floor (General Admission)",
        slug="floor",
        price=Decimal(150),
        quantity=5000,
        description="Standing floor access",
    ),
    Tier(
        name="Lower Bowl",
        slug="lower-bowl",
        price=Decimal(100),
        quantity=8000,
        description="Lower level reserved seating",
    ),
    Tier(
        name="Upper Bowl",
        slug="upper-bowl",
        price=Decimal(60),
        quantity=6500,
        description="Upper level reserved seating",
    ),
]

# The reference's presales, in its order: one a day, the last on the day before the general sale.
PRESALES = [
    Presale(
        name="Artist Presale", slug="presale-artist", code="FALLVIBES2024", fans=5000, about="Artist fan club presale"
    ),
    Presale(name="Venue Presale", slug="presale-venue", code="MSGVIP2024", fans=3000, about="MSG member presale"),
    Presale(name="Card Presale", slug="presale-card", cards=("amex", "chase"), inside=150),
]
# How the numbers of those cards begin.
CARDS = {
    "amex": ("American Express", ["34", "37"]),
    "chase": ("Chase", ["414720", "426684", "438857", "483316"]),
}

RECITAL_TIERS = [
    Tier(name="Stalls", slug="stalls", price=Decimal(85), quantity=700, description="Seats on the main floor"),
    Tier(
        name="Balcony", slug="balcony", price=Decimal(45), quantity=500, description="Seats upstairs, facing the stage"
    ),
]


@transaction.atomic
def load_concert(*, now: datetime, rate_per_minute: int = RATE_PER_MINUTE) -> None:
    """Put in what is missing of accounts, organizer, concert and recital; what is there stays as it is.

    The concert's sale is open from `now`, its presales were on the three days before; the recital's opens two days
    later.
    """
    for account in ACCOUNTS:
        _put_account(account)
    if _is_on_sale(EVENT_SLUG) and _is_on_sale(RECITAL_SLUG):
        return
    organizer = _put_organizer()
    if not _is_on_sale(EVENT_SLUG):
        concert = _concert(organizer, now)
        for queue in [*_presales(concert, now), _concert_queue(concert, now, rate_per_minute)]:
            _put_on_sale(queue)
    if not _is_on_sale(RECITAL_SLUG):
        _put_on_sale(_recital_queue(_recital(organizer, now), now))


def _put_account(account: Account) -> None:
    if User.objects.filter(email=account.email).exists():
        return
    user = User.objects.create_user(
        account.email,
        account.password,
        name=account.name,
        is_staff=account is not FAN,
        is_superuser=account is SUPERUSER,
    )
    account_services.mark_email_verified(user)
    if account is FAN:
        account_services.mark_identity_verified(user)


def _put_organizer() -> Organizer:
    organizer, is_new = Organizer.objects.get_or_create(slug="lantern-street", defaults={"name": "Lantern Street Live"})
    if is_new:
        owner = User.objects.get(email=ORGANISER.email)
        Membership.objects.create(user=owner, organizer=organizer, role=Membership.Role.OWNER)
    return organizer


def _is_on_sale(event_slug: str) -> bool:
    # By both: an organiser may have renamed one of them, and the other's address is taken all the same.
    events = Event.objects.filter(slug=event_slug)
    return events.exists() or Queue.objects.filter(slug=f"tickets-{event_slug}").exists()


def _concert(organizer: Organizer, now: datetime) -> Event:
    zone = zoneinfo.ZoneInfo("America/New_York")
    six_weeks_on = now.astimezone(zone).date() + timedelta(weeks=6)
    day = six_weeks_on + timedelta(days=(FRIDAY - six_weeks_on.weekday()) % 7)
    event = Event.objects.create(
        organizer=organizer,
        venue=Venue.objects.create(
            organizer=organizer, name="Madison Square Garden", city="New York, NY", capacity=20000
        ),
        name="Fall Tour 2024 - New York",
        slug=EVENT_SLUG,
        description="One night at the Garden: the last stop of the tour, with the whole band.",
        doors_at=datetime.combine(day, time(19), tzinfo=zone),
        starts_at=datetime.combine(day, time(20), tzinfo=zone),
        time_zone=zone.key,
        max_tickets_per_order=4,
        max_orders_per_customer=1,
        require_identification=True,
        tickets_non_transferable=True,
        require_buyer_attendance=True,
    )
    _add_tiers(event, TIERS)
    return event


def _concert_queue(event: Event, now: datetime, rate_per_minute: int) -> Queue:
    return Queue.objects.create(
        event=event,
        name=f"{event.name} - General Sale",
        slug=QUEUE_SLUG,
        scheduled_start=now,
        max_concurrent_admissions=200,
        admission_window_seconds=600,
        admission_rate_per_minute=rate_per_minute,
        fairness_mode=Queue.FairnessMode.STRICT,
        enable_captcha=True,
        captcha_threshold=CaptchaThreshold.MEDIUM,
        metadata={
            "event_id": event.slug,
            "event_name": event.name,
            "event_date": event.starts_at.date().isoformat(),
            "venue": event.venue.name,
            "total_tickets": sum(tier.quantity for tier in TIERS),
        },
    )


def _presales(event: Event, now: datetime) -> list[Queue]:
    days = range(len(PRESALES), 0, -1)
    return [_presale(event, presale, now - timedelta(days=day)) for presale, day in zip(PRESALES, days, strict=True)]


def _presale(event: Event, presale: Presale, day: datetime) -> Queue:
    queue = Queue.objects.create(
        event=event,
        kind=Queue.Kind.PRESALE,
        name=f"{event.name} - {presale.name}",
        slug=f"{presale.slug}-{event.slug}",
        scheduled_start=day.astimezone(UTC).replace(hour=10, minute=0, second=0, microsecond=0),
        scheduled_end=day.astimezone(UTC).replace(hour=22, minute=0, second=0, microsecond=0),
        max_concurrent_admissions=presale.inside,
        admission_window_seconds=600,
        require_access_code=bool(presale.code),
        metadata={"presale_type": "credit_card"} if presale.cards else {},
    )
    if presale.code:
        AccessCode.objects.create(queue=queue, code=presale.code, max_uses=presale.fans, description=presale.about)
    queue.eligible_cards.set([_card_programme(slug) for slug in presale.cards])
    return queue


def _card_programme(slug: str) -> CardProgramme:
    name, prefixes = CARDS[slug]
    programme, is_new = CardProgramme.objects.get_or_create(slug=slug, defaults={"name": name})
    if is_new:
        CardPrefix.objects.bulk_create([CardPrefix(programme=programme, digits=digits) for digits in prefixes])
    return programme


def _recital(organizer: Organizer, now: datetime) -> Event:
    zone = zoneinfo.ZoneInfo("America/Chicago")
    day = now.astimezone(zone).date() + timedelta(weeks=10)
    event = Event.objects.create(
        organizer=organizer,
        venue=Venue.objects.create(organizer=organizer, name="Assembly Hall", city="Chicago, IL", capacity=1200),
        name="Winter Strings - Chicago",
        slug=RECITAL_SLUG,
        description="A string quartet plays by candlelight, without an interval.",
        doors_at=datetime.combine(day, time(18, 30), tzinfo=zone),
        starts_at=datetime.combine(day, time(19, 30), tzinfo=zone),
        time_zone=zone.key,
        max_tickets_per_order=6,
        max_orders_per_customer=2,
    )
    _add_tiers(event, RECITAL_TIERS)
    return event


def _recital_queue(event: Event, now: datetime) -> Queue:
    day = now.astimezone(event.zone).date() + timedelta(days=2)
    return Queue.objects.create(
        event=event,
        name=f"{event.name} - General Sale",
        slug=f"tickets-{event.slug}",
        scheduled_start=datetime.combine(day, time(10), tzinfo=event.zone),
        max_concurrent_admissions=50,
    )


def _add_tiers(event: Event, tiers: list[Tier]) -> None:
    for position, tier in enumerate(tiers, start=1):
        Tier.objects.create(
            event=event,
            name=tier.name,
            slug=tier.slug,
            price=tier.price,
            quantity=tier.quantity,
            description=tier.description,
            perks=tier.perks,
            position=position,
        )


def _put_on_sale(queue: Queue) -> None:
    event_services.publish_event(queue.event)
    queue_services.publish_queue(queue)
