"""Passing trouble of the database: wait a little, try again, and then say so."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from django.db import InterfaceError, OperationalError, connection
from django.utils.translation import gettext_lazy as _

from accounts.refusals import Refusal

ATTEMPTS = 3
PAUSE_SECONDS = 0.1

P = ParamSpec("P")
R = TypeVar("R")


class Busy(Refusal):
    message = _("There is a lot going on right now. Nothing is lost: please try again in a moment.")


def patiently(service: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
    """Call one service; after a deadlock, a timeout or a lost connection call it again, three times in all.

    For the edge, with no transaction open: a service that failed has rolled back and can begin anew.

    Raises:
        Busy: it failed three times.
    """
    for attempt in range(1, ATTEMPTS + 1):
        try:
            return service(*args, **kwargs)
        except (OperationalError, InterfaceError):
            connection.close()
            time.sleep(PAUSE_SECONDS * attempt)
    raise Busy
