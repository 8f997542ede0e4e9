"""The advisory lock of an account: shared by whoever begins something in its name, exclusive for whoever closes it.

The row itself is never locked. The lock ends with the transaction.
"""

from django.db import connection

# One more of the kinds that `queues.locks` counts.
ACCOUNT = 4


def share_account(user_id: int) -> None:
    """Let nobody close the account until the transaction ends; what is read afterwards tells whether somebody has."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock_shared(%s, %s)", [ACCOUNT, user_id])


def take_account(user_id: int) -> None:
    """Wait for whoever has begun something in the account's name, and let nobody begin until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [ACCOUNT, user_id])
