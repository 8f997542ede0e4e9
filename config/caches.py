"""The cache, in Redis: it may be away, and nobody is turned away for that."""

from typing import Any

from django_redis.cache import RedisCache


class OptionalRedisCache(RedisCache):
    """Keeps nothing while Redis is away, and lets everybody through who asks it for a lock.

    django-allauth counts attempts under such locks. Told that one is held by somebody else, it would answer each
    sign-in with "too many requests" until Redis came back. So its limits rest with Redis: the site's doors do not.
    """

    def add(self, *args: Any, **kwargs: Any) -> bool:
        added: bool | None = super().add(*args, **kwargs)
        # None is said of a Redis that is away; False, of a key that is there.
        return added is not False
