"""The part of a rehearsal that knows the sale; `config/rehearsal.py` brings up what it runs on and starts it."""

from __future__ import annotations

import sys
import time
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management import BaseCommand

from config import bookkeeping
from config.crowd import report, scene
from config.crowd.plans import code_uses, demand, draw_plans, scaled_quantities
from config.crowd.run import run_crowd
from config.crowd.sale import Sale
from config.crowd.way import Via

# After the last fan: sweeps every few seconds, a refund's lease, the last windows.
REST_SECONDS = 60


class Command(BaseCommand):
    help = "Rehearse a sale of the concert with a crowd, in an empty database that is thrown away. Use `make rehearse`."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--fans", type=int, required=True)
        parser.add_argument("--seed", type=int, required=True)
        parser.add_argument("--via", type=Via, choices=[*Via], default=Via.PAGES)
        parser.add_argument("--limit-seconds", type=float, required=True)

    def handle(self, *, fans: int, seed: int, via: Via, limit_seconds: float, **options: Any) -> None:
        queue = scene.set_up_concert()
        plans = draw_plans(fans, seed, scene.tiers_of(queue))
        quantities = scaled_quantities(plans)
        sale = scene.scale_sale(queue, quantities, fans=fans, code_uses=code_uses(plans))
        sessions = scene.make_accounts(plans)
        scarce = scene.scarce_tiers(demand(plans), quantities)
        self.stdout.write(report.announcement(demand(plans), quantities, fans=fans, seed=seed))
        watcher = Watcher(self, sale)
        tally = run_crowd(
            plans,
            sale,
            url=settings.SITE_URL,
            sessions=sessions,
            watch=watcher.look,
            limit_seconds=limit_seconds,
            via=via,
        )
        watcher.rest()
        result = report.make(tally, fans=fans, seconds=watcher.seconds(), unsold=scene.unsold(scarce, sale))
        self.stdout.write(result.text())
        sys.exit(0 if not result.failures else 1)


class Watcher:
    """Tells how the sale goes, and when it is sold out."""

    def __init__(self, command: BaseCommand, sale: Sale) -> None:
        self._command = command
        self._sale = sale
        self._began = time.monotonic()
        self._last = (0.0, 0)
        self._is_sold_out = False

    def seconds(self) -> float:
        return round(time.monotonic() - self._began, 1)

    def look(self) -> None:
        now, sale = self.seconds(), bookkeeping.progress(self._sale.event_slug)
        rate = (sale.sold - self._last[1]) / (now - self._last[0] or 1)
        self._last = (now, sale.sold)
        self._command.stdout.write(
            f"{now:6.1f} s   in line {sale.waiting:4}   inside {sale.inside:4}   holding {sale.holding:4}   "
            f"sold {sale.sold:4} of {sale.stock} ({rate:.1f}/s)"
        )
        self._command.stdout.flush()
        if not self._is_sold_out and scene.is_sold_out(self._sale):
            self._is_sold_out = True
            self._command.stdout.write("           Sold out: whoever still waits is told.")

    def rest(self) -> None:
        """Wait until the sweeps have nothing left to do, a minute at most."""
        ends_at = time.monotonic() + REST_SECONDS
        while bookkeeping.count_unfinished() and time.monotonic() < ends_at:
            time.sleep(1)
