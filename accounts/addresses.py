"""E-mail addresses as what they lead to: the same mailbox however it is written, or one made to be thrown away.

Nobody is refused for either; staff are shown it.
"""

from __future__ import annotations

from disposable_email_domains import blocklist
from django.db.models import Case, CharField, F, Func, Value, When
from django.db.models.functions import Concat, Replace

# One provider under two names.
GMAIL = ("gmail.com", "googlemail.com")

# The library's list; a newer one comes with the next version of the dependency, never over the network.
DISPOSABLE_DOMAINS = frozenset(blocklist)


def is_disposable(address: str) -> bool:
    """Tell whether the address is of a domain that is known to hand out mailboxes for some minutes."""
    return address.rpartition("@")[2].lower() in DISPOSABLE_DOMAINS


def domain_of(column: str) -> Func:
    """Return what stands behind the last @ of an address in `column`, for the database."""
    return _part(column, r"[^@]*$")


def mailbox_of(column: str) -> Case:
    """Return the mailbox that an address in `column`, in lower case, leads to, for the database.

    What follows a + does not count; nor do dots, where the provider ignores them.
    """
    # A + at the very beginning is the name, and no tag.
    name, domain = _part(column, r"^.[^+@]*"), domain_of(column)
    at_gmail = Concat(Replace(name, Value("."), Value("")), Value(f"@{GMAIL[0]}"))
    is_gmail = [When(**{f"{column}__endswith": f"@{host}"}, then=at_gmail) for host in GMAIL]
    return Case(*is_gmail, default=Concat(name, Value("@"), domain), output_field=CharField())


def _part(column: str, pattern: str) -> Func:
    return Func(F(column), Value(pattern), function="substring", output_field=CharField())
