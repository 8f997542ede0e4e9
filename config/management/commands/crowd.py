"""The demo's crowd, until it is stopped; `config/demo.py` starts and stops it beside the other processes."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import Any

from django.conf import settings
from django.core.management import BaseCommand, CommandError
from django.db import Error, connection

from config.concert import EVENT_SLUG, QUEUE_SLUG
from config.crowd.background import AWAY_SECONDS, Background
from config.crowd.people import Person, put_people
from config.crowd.plans import GENERAL, PRESALE
from config.crowd.sale import Line, Sale
from config.crowd.scene import PRESALE_SLUG
from events.models import Tier

logger = logging.getLogger(__name__)
# A line for each request would fill the disk of a demo that is left running.
logging.getLogger("httpx").setLevel(logging.WARNING)


class Command(BaseCommand):
    help = "Keep a line of made-up fans before the demo's concert. `make demo CROWD=0` leaves them out."

    def handle(self, *args: Any, **options: Any) -> None:
        """Let the crowd live; only in a demo, as it would stand before people in a real sale."""
        if not settings.DEMO:
            raise CommandError("The crowd takes real places in line: it runs only with DEMO=1.")
        people = gather_people()
        asyncio.run(Background(people, demo_sale(), url=settings.SITE_URL).live())


def gather_people() -> list[Person]:
    """Put the people in, again and again while the database is away."""
    while True:
        try:
            return put_people(
                list(Tier.objects.filter(event__slug=EVENT_SLUG).in_order().values_list("slug", flat=True))
            )
        except Error:
            logger.warning("The database is away", exc_info=True)
            connection.close()
            time.sleep(AWAY_SECONDS)


def demo_sale() -> Sale:
    """Return the concert's sale as the crowd of the demo needs to know it."""
    return Sale(
        event_slug=EVENT_SLUG,
        presale=Line(PRESALE, PRESALE_SLUG),
        general=Line(GENERAL, QUEUE_SLUG),
        window_seconds=60,
        claim_seconds=0,
        grace_seconds=settings.PAYMENT_GRACE_SECONDS,
    )
