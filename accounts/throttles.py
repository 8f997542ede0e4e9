"""How often programs may ask: by the account that is signed in, and by the network address."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

import redis
from allauth.account.adapter import get_adapter
from django.conf import settings
from django_redis import get_redis_connection
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from accounts.households import household_of

if TYPE_CHECKING:
    # Whose settings name the class below.
    from rest_framework.views import APIView

logger = logging.getLogger(__name__)

WINDOW_SECONDS = 60


class ByAccountAndAddress(BaseThrottle):
    """Counts requests a minute: those of an account up to one number, those of an address up to a larger one.

    Many fans may share an address, hence two numbers; all addresses of an IPv6 household count as one. Counted in
    Redis, in one trip; while it is away nobody is turned away.
    """

    def __init__(self) -> None:
        self._now = time.time()

    def allow_request(self, request: Request, view: APIView) -> bool:
        limits = self._limits(request)
        counts = self._count(list(limits))
        return all(count <= limit for count, limit in zip(counts, limits.values(), strict=False))

    def wait(self) -> float:
        """Return the seconds until the next minute of counting begins."""
        return max(1.0, WINDOW_SECONDS - self._now % WINDOW_SECONDS)

    def _limits(self, request: Request) -> dict[str, int]:
        minute = int(self._now // WINDOW_SECONDS)
        address = household_of(get_adapter().get_client_ip(request))
        limits = {f"requests:address:{address}:{minute}": settings.API_REQUESTS_A_MINUTE_BY_ADDRESS}
        if request.user.is_authenticated:
            limits[f"requests:account:{request.user.pk}:{minute}"] = settings.API_REQUESTS_A_MINUTE_BY_ACCOUNT
        return limits

    def _count(self, keys: list[str]) -> list[int]:
        pipeline = get_redis_connection("default").pipeline(transaction=False)
        for key in keys:
            pipeline.incr(key)
            pipeline.expire(key, WINDOW_SECONDS)
        try:
            return pipeline.execute()[::2]
        except redis.RedisError as error:
            logger.warning("Requests not counted in Redis: %s", error)
            return []
