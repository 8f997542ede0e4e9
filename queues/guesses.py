"""How often somebody has guessed a code wrong: counted for the account and for the address it came from.

In Redis, and in this process's own memory while Redis is away: a limit that costs the database a write would be a way
to keep it busy. Several wrong guesses at one instant may all pass the check before any is counted; so few are too few.
"""

from __future__ import annotations

import logging

import redis
from django.core.cache.backends.locmem import LocMemCache
from django_redis import get_redis_connection

from accounts.households import household_of
from queues.refusals import Throttled

logger = logging.getLogger(__name__)

SECONDS = 600
WRONG_AN_ACCOUNT = 10
# Many may share an address: a family, a dormitory, a telephone company.
WRONG_AN_ADDRESS = 100

_own_memory = LocMemCache("guesses", {"TIMEOUT": SECONDS, "OPTIONS": {"MAX_ENTRIES": 10_000}})


def check(user_id: int, address: str) -> None:
    """Refuse who has guessed wrong too often in the last ten minutes.

    Raises:
        Throttled: `facts["retry_after"]` says in how many seconds to come back.
    """
    for key, most in _limits(user_id, address).items():
        if _read(key) >= most:
            raise Throttled(SECONDS)


def count_wrong(user_id: int, address: str) -> None:
    """Note one wrong guess."""
    for key in _limits(user_id, address):
        _add(key)


def _limits(user_id: int, address: str) -> dict[str, int]:
    by_account = {f"guesses:account:{user_id}": WRONG_AN_ACCOUNT}
    return {**by_account, f"guesses:address:{household_of(address)}": WRONG_AN_ADDRESS} if address else by_account


def _read(key: str) -> int:
    try:
        return int(get_redis_connection("default").get(key) or 0)
    except redis.RedisError as error:
        logger.warning("Wrong guesses not read from Redis: %s", error)
        return int(_own_memory.get(key, 0))


def _add(key: str) -> None:
    try:
        with get_redis_connection("default").pipeline() as pipe:
            pipe.set(key, 0, ex=SECONDS, nx=True)
            pipe.incr(key)
            pipe.execute()
    except redis.RedisError as error:
        logger.warning("Wrong guess not counted in Redis: %s", error)
        _own_memory.add(key, 0)
        _own_memory.incr(key)
