from contextlib import closing
from time import monotonic

from celery import shared_task
from django.core.mail import get_connection

from accounts import idempotency, services

# A sweep ends by itself, so that a worker sees the other tasks again; the next sweep goes on.
SWEEP_SECONDS = 20


@shared_task
def send_queued_letters() -> None:
    """Send what is due, over one connection, for at most about `SWEEP_SECONDS`."""
    end = monotonic() + SWEEP_SECONDS
    with closing(get_connection()) as connection:
        while services.send_next_letter(connection) and monotonic() < end:
            pass


@shared_task
def remove_decided_photos() -> None:
    services.remove_decided_photos()


@shared_task
def remove_orphaned_photos() -> None:
    services.remove_orphaned_photos()


@shared_task
def refuse_overdue_identity_checks() -> None:
    while services.refuse_next_overdue_identity_check():
        pass


@shared_task
def remove_expired_answers() -> None:
    """Remove the answers that count no more, for at most about `SWEEP_SECONDS`."""
    end = monotonic() + SWEEP_SECONDS
    while idempotency.remove_expired_answers() and monotonic() < end:
        pass
