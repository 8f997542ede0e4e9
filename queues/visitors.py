"""Who stands in line: a fan with an account or, where the queue asks for none, a visitor. A part of the models."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import User

IS_LIVE = Q(status__in=["waiting", "admitted"])


@dataclass(frozen=True)
class Visitor:
    """Somebody without an account: a browser, named by a signed cookie (see `queues.cookies`)."""

    pk: uuid.UUID = field(default_factory=uuid.uuid4)


class HasFan(models.Model):
    """A passage's fan; `visitor` until there is an account that takes the place along."""

    # Like `queue`, in the indexes below; one more of its own would only slow joining down.
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="admissions", null=True, db_index=False)
    visitor = models.UUIDField(_("visitor"), null=True, editable=False)

    class Meta:
        abstract = True

    @property
    def bearer(self) -> int | str:
        """What names whoever stands here where it is signed; never the same for an account and a visitor."""
        return self.user_id if self.user_id is not None else str(self.visitor)


# Those without an account are in no index of fans, and the other way round.
FAN_CONSTRAINTS = [
    models.CheckConstraint(
        name="admission_has_a_fan_or_a_visitor",
        condition=Q(user__isnull=False, visitor__isnull=True) | Q(user__isnull=True, visitor__isnull=False),
    ),
    models.UniqueConstraint(name="fan_stands_once_in_a_queue", fields=["queue", "user"], condition=IS_LIVE),
    models.UniqueConstraint(
        name="visitor_stands_once_in_a_queue",
        fields=["queue", "visitor"],
        condition=IS_LIVE & Q(visitor__isnull=False),
    ),
    models.CheckConstraint(
        name="nobody_holds_tickets_without_an_account", condition=Q(has_hold=False) | Q(user__isnull=False)
    ),
]
FAN_INDEXES = [
    models.Index(name="admissions_of_a_fan", fields=["user", "queue"]),
    models.Index(name="admissions_of_a_visitor", fields=["visitor", "queue"], condition=Q(visitor__isnull=False)),
]
