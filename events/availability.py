"""How many tickets are left, as pages and programs show it.

Read from Redis, where it is kept for 10 s, and for at most 1 s once the stock has moved. It is for showing only:
whoever takes tickets asks the database. Without Redis each reader asks the database, too.
"""

from __future__ import annotations

import json
import logging
from dataclasses import asdict, dataclass
from datetime import datetime

import redis
from django.utils import timezone
from django_redis import get_redis_connection

from accounts.instants import written
from events.models import Event, Tier

logger = logging.getLogger(__name__)

KEPT_SECONDS = 10
KEPT_AFTER_A_CHANGE_SECONDS = 1

# One script, because a reader that read before a change and writes after it must not keep the old number for 10 s.
KEEP = """
local seconds = ARGV[2]
if redis.call("EXISTS", KEYS[2]) == 1 then seconds = ARGV[3] end
return redis.call("SET", KEYS[1], ARGV[1], "EX", seconds)
"""

# Shortens, never lengthens: with a change every few milliseconds the kept number must still run out.
MARK_CHANGED = """
redis.call("SET", KEYS[2], "1", "EX", ARGV[1])
if redis.call("PTTL", KEYS[1]) > ARGV[2] * 1000 then redis.call("PEXPIRE", KEYS[1], ARGV[2] * 1000) end
"""


@dataclass(frozen=True)
class TierAvailability:
    tier: str
    available: int
    level: str


@dataclass(frozen=True)
class Availability:
    """What is left of an event's tiers, in the order of the page.

    `level` is one of plenty, some, few, gone.
    """

    tiers: list[TierAvailability]
    as_of: str

    def as_dict(self) -> dict:
        return asdict(self)

    def of(self, slug: str) -> TierAvailability | None:
        return next((tier for tier in self.tiers if tier.tier == slug), None)


def level_of(available: int, quantity: int) -> str:
    """Say in one word how much of a tier is left."""
    if available <= 0:
        return "gone"
    if available * 20 <= quantity:
        return "few"
    if available * 4 <= quantity:
        return "some"
    return "plenty"


def read(event: Event, *, now: datetime | None = None) -> Availability:
    """Return what is left of `event`, from the cache or else from the database."""
    kept = _kept(event.pk)
    if kept is not None:
        return kept
    fresh = count(event, now=now or timezone.now())
    _keep(event.pk, fresh)
    return fresh


def count(event: Event, *, now: datetime) -> Availability:
    """Ask the database what is left of `event`."""
    tiers = Tier.objects.filter(event=event).in_order()
    return Availability(
        tiers=[TierAvailability(tier.slug, tier.available, level_of(tier.available, tier.quantity)) for tier in tiers],
        as_of=written(now),
    )


def mark_changed(event_id: int) -> None:
    """Let what is kept of an event live for a second at most; to be called once a change is committed."""
    try:
        get_redis_connection("default").eval(
            MARK_CHANGED, 2, _key(event_id), _changed_key(event_id), KEPT_SECONDS, KEPT_AFTER_A_CHANGE_SECONDS
        )
    except redis.RedisError as error:
        logger.warning("Availability of event %s not marked as changed: %s", event_id, error)


def _kept(event_id: int) -> Availability | None:
    try:
        raw = get_redis_connection("default").get(_key(event_id))
    except redis.RedisError as error:
        logger.warning("Availability of event %s not read from Redis: %s", event_id, error)
        return None
    if raw is None:
        return None
    kept = json.loads(raw)
    return Availability(tiers=[TierAvailability(**tier) for tier in kept["tiers"]], as_of=kept["as_of"])


def _keep(event_id: int, fresh: Availability) -> None:
    kept = json.dumps(fresh.as_dict())
    try:
        get_redis_connection("default").eval(
            KEEP, 2, _key(event_id), _changed_key(event_id), kept, KEPT_SECONDS, KEPT_AFTER_A_CHANGE_SECONDS
        )
    except redis.RedisError as error:
        logger.warning("Availability of event %s not kept in Redis: %s", event_id, error)


def _key(event_id: int) -> str:
    return f"availability:{event_id}"


def _changed_key(event_id: int) -> str:
    return f"availability:{event_id}:changed"
