"""Where a queue stands, and why it sends somebody away."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Phase(models.TextChoices):
    """Where a queue stands; derived, never stored."""

    DRAFT = "draft", _("Draft")
    SCHEDULED = "scheduled", _("Scheduled")
    LOBBY = "lobby", _("Lobby")
    OPEN = "open", _("Open")
    PAUSED = "paused", _("Paused")
    SOLD_OUT = "sold_out", _("Sold out")
    CLOSED = "closed", _("Closed")


class EndReason(models.TextChoices):
    """Why a fan who still waited was sent away, or was let in and lost the turn; kept in `Admission.reason`."""

    SOLD_OUT = "sold_out", _("Sold out")
    QUEUE_CLOSED = "queue_closed", _("Sale closed")
    EVENT_CANCELLED = "event_cancelled", _("Event cancelled")
    ABSENT = "absent", _("Did not show up")
