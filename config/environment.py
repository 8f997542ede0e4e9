"""What production must choose, from the environment: whatever is missing or wrong is said in plain words."""

import json
import re
from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from environ import Env

EXAMPLES = {
    "SECRET_KEY": "a long random text that nobody else knows",
    "ALLOWED_HOSTS": "the names of this site, for example tickets.example.com",
    "SITE_URL": "the address of this site, for example https://tickets.example.com",
    "API_ALLOWED_ORIGINS": "the addresses of other sites, with commas between, for example https://app.example.com",
    "DATABASE_URL": "a PostgreSQL, for example postgres://fairline:password@database.example.com/fairline",
    "REDIS_URL": "a Redis, for example redis://redis.example.com:6379/0",
    "EMAIL_URL": "a mail server, for example smtp+tls://user:password@mail.example.com:587",
    "DEFAULT_FROM_EMAIL": "the sender of letters, for example Tickets <tickets@example.com>",
    "MEDIA_ROOT": "the folder of uploads, for example /srv/fairline/media",
    "IDENTITY_ROOT": "the private folder of documents' photos, for example /srv/fairline/identity",
    "PAYMENT_VARIANTS": 'who takes the money, for example {"card": ["payments.stripe.StripeProviderV3", {...}]}',
}
# As browsers send one: no path, no slash at its end, no star.
SAFE_ORIGIN = r"https://[a-z0-9.-]+(:[0-9]+)?"
ORIGIN = SAFE_ORIGIN.replace("https", "https?")
PLAY_MONEY = ("payments.dummy.", "orders.providers.PlayMoney")

Variants = dict[str, tuple[str, dict[str, Any]]]


def required(env: Env, name: str) -> str:
    """Return a variable; raises ImproperlyConfigured where it is missing or empty."""
    value: str = env.str(name, default="").strip()
    if not value:
        raise ImproperlyConfigured(f"{name} is not set: give {EXAMPLES[name]}.")
    return value


def site_url(env: Env, *, demo: bool) -> str:
    """Return the site's address without a slash at its end; raises ImproperlyConfigured unless it is one, by HTTPS."""
    url = required(env, "SITE_URL").rstrip("/")
    scheme, _, host = url.partition("://")
    if not host or scheme not in ({"http", "https"} if demo else {"https"}):
        raise ImproperlyConfigured(f"SITE_URL={url} does not do: give {EXAMPLES['SITE_URL']}.")
    return url


def allowed_origins(env: Env, *, demo: bool) -> list[str]:
    """Return which other sites' pages may call the API; raises ImproperlyConfigured where one is none, by HTTPS."""
    given: list[str] = [origin.strip() for origin in env.str("API_ALLOWED_ORIGINS", default="").split(",")]
    origins = [origin.lower() for origin in given if origin]
    for origin in origins:
        if not re.fullmatch(ORIGIN if demo else SAFE_ORIGIN, origin):
            raise ImproperlyConfigured(
                f"API_ALLOWED_ORIGINS: {origin} does not do: give {EXAMPLES['API_ALLOWED_ORIGINS']}."
            )
    return origins


def payment_variants(env: Env) -> Variants:
    """Return the providers of real money; raises ImproperlyConfigured where there are none or they are play money."""
    given = required(env, "PAYMENT_VARIANTS")
    try:
        read = json.loads(given)
        variants = {str(name): (str(path), dict(options)) for name, (path, options) in read.items()}
    except (ValueError, TypeError, AttributeError):
        raise ImproperlyConfigured(
            f"PAYMENT_VARIANTS cannot be read as JSON: give {EXAMPLES['PAYMENT_VARIANTS']}."
        ) from None
    for name, (path, _) in variants.items():
        if path.startswith(PLAY_MONEY):
            raise ImproperlyConfigured(f"PAYMENT_VARIANTS: {name} is play money and for a demo only.")
    return variants


def payment_variant(env: Env, variants: Mapping[str, object]) -> str:
    """Return which provider takes the money: the one named, or else the only one there is."""
    chosen: str = env.str("PAYMENT_VARIANT", default=next(iter(variants)) if len(variants) == 1 else "")
    if chosen not in variants:
        names = ", ".join(variants) or "none"
        raise ImproperlyConfigured(f"PAYMENT_VARIANT={chosen} is none of PAYMENT_VARIANTS ({names}): name one of them.")
    return chosen
