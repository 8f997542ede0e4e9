"""What the organiser writes to those who wait. A part of the models."""

from __future__ import annotations

import uuid
from typing import Self

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.text import Truncator
from django.utils.translation import gettext_lazy as _

from accounts.models import User

TEXT_LENGTH = 2000


class NoticeQuerySet(models.QuerySet["Notice"]):
    def lock(self) -> Self:
        """Lock the rows, lowest pk first, against every other writer."""
        return self.order_by("pk").select_for_update(of=("self",), no_key=True)

    def unfinished(self) -> Self:
        return self.filter(finished_at__isnull=True)

    def newest_first(self) -> Self:
        return self.order_by("-pk")


class Notice(models.Model):
    """A letter from the organiser to everyone who waited in a queue when it was written.

    `last_place` closes the list of its readers; `told_through` is the place up to which letters have been written.
    What became of those is written on them: `Letter.objects.of_mailing(notice.mailing)`.
    """

    queue = models.ForeignKey("queues.Queue", on_delete=models.PROTECT, related_name="notices")
    text = models.TextField(_("text"), max_length=TEXT_LENGTH)
    created_by = models.ForeignKey(User, verbose_name=_("by"), on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(_("written"), db_default=Now())
    mailing = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    reader_count = models.PositiveIntegerField(_("waiting then"))
    last_place = models.BigIntegerField()
    told_through = models.BigIntegerField(null=True)
    told_count = models.PositiveIntegerField(_("told"), default=0)
    finished_at = models.DateTimeField(_("finished"), null=True)
    stopped_at = models.DateTimeField(_("stopped"), null=True)

    objects = NoticeQuerySet.as_manager()

    class Meta:
        verbose_name = _("notice to the line")
        verbose_name_plural = _("notices to the line")
        constraints = [
            models.CheckConstraint(
                name="notice_goes_to_nobody_who_came_later", condition=Q(told_count__lte=F("reader_count"))
            ),
            models.CheckConstraint(
                name="notice_that_is_stopped_goes_no_further",
                condition=Q(stopped_at__isnull=True) | Q(finished_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return Truncator(self.text).chars(60)

    @property
    def is_stopped(self) -> bool:
        return self.stopped_at is not None
