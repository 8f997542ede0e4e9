from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from config.concert import ACCOUNTS, load_concert


class Command(BaseCommand):
    help = "Load the concert of the demo and the accounts to try it with. What is there already stays as it is."

    def handle(self, *args: Any, **options: Any) -> None:
        """Load it and print the accounts; only in a demo, as everybody can read their passwords here."""
        if not settings.DEMO:
            raise CommandError("load_concert makes accounts with well-known passwords: it runs only with DEMO=1.")
        load_concert(now=timezone.now())
        for account in ACCOUNTS:
            self.stdout.write(f"{account.part}: {account.email} / {account.password}")
