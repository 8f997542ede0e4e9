from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from config.concert import ACCOUNTS, RATE_PER_MINUTE, load_concert


class Command(BaseCommand):
    help = "Load the concert of the demo and the accounts to try it with. What is there already stays as it is."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--rate",
            type=int,
            default=RATE_PER_MINUTE,
            help="People let in a minute to the general sale, if it is new.",
        )

    def handle(self, *args: Any, rate: int, **options: Any) -> None:
        """Load it and print the accounts; only in a demo, as everybody can read their passwords here."""
        if not settings.DEMO:
            raise CommandError("load_concert makes accounts with well-known passwords: it runs only with DEMO=1.")
        load_concert(now=timezone.now(), rate_per_minute=rate)
        for account in ACCOUNTS:
            self.stdout.write(f"{account.part}: {account.email} / {account.password}")
