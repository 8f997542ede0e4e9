"""Answers that are kept for whoever asks the same again. A part of the models."""

from __future__ import annotations

from datetime import timedelta
from typing import Self

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

KEY_LENGTH = 255
HASH_LENGTH = 64


class KeptAnswerQuerySet(models.QuerySet["KeptAnswer"]):
    def for_account(self, user_id: int) -> Self:
        return self.filter(user_id=user_id)

    def expired(self) -> Self:
        """Keep those that count no more, by the database's clock."""
        return self.filter(created_at__lte=Now() - KeptAnswer.KEPT)


class KeptAnswer(models.Model):
    """What a request with an `Idempotency-Key` was answered; without a status as long as it is under way.

    A row is committed without its answer only where an act is done in two transactions. It is somebody's until
    `busy_until`; after that, or with none, whoever asks the same goes on.
    """

    KEPT = timedelta(hours=24)

    user = models.ForeignKey("accounts.User", on_delete=models.CASCADE, related_name="+", db_index=False)
    key = models.CharField(_("key"), max_length=KEY_LENGTH)
    request_hash = models.CharField(max_length=HASH_LENGTH)
    status = models.PositiveSmallIntegerField(_("status"), null=True)
    # As it was sent, byte for byte.
    body = models.TextField(_("answer"), blank=True, default="")
    headers = models.JSONField(blank=True, default=dict)
    created_at = models.DateTimeField(_("asked"), db_default=Now())
    busy_until = models.DateTimeField(null=True)

    objects = KeptAnswerQuerySet.as_manager()

    class Meta:
        verbose_name = _("kept answer")
        verbose_name_plural = _("kept answers")
        constraints = [
            models.UniqueConstraint(name="fan_uses_a_key_for_one_request", fields=["user", "key"]),
            models.CheckConstraint(
                name="answer_is_kept_whole",
                condition=Q(status__isnull=True, body="", headers={}) | Q(status__isnull=False, busy_until=None),
            ),
        ]
        indexes = [models.Index(name="kept_answers_by_age", fields=["created_at"])]

    def __str__(self) -> str:
        return self.key
