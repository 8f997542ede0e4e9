"""What a queue answers when something cannot be."""

from datetime import datetime

from django.utils.translation import gettext_lazy as _

from accounts.refusals import Refusal


class QueueNotOpen(Refusal):
    """The opening is still to come; `facts["opens_at"]` says when."""

    def __init__(self, opens_at: datetime) -> None:
        super().__init__(_("The sale has not opened yet."), opens_at=opens_at.isoformat())


class QueueClosed(Refusal):
    message = _("This sale is closed.")


class QueueSoldOut(Refusal):
    message = _("All tickets of this sale have been sold.")


class EmailNotVerified(Refusal):
    message = _("Email verification required: please confirm your e-mail address first.")


class IdentityNotVerified(Refusal):
    message = _("Identity verification required: please verify your identity first.")


class OrderLimitReached(Refusal):
    message = _("Maximum orders per customer exceeded: you have as many orders for this event as one person may.")


class TicketLimitReached(Refusal):
    message = _("Maximum tickets per customer exceeded: one person may not have more tickets for this event.")


class AdmittanceInvalid(Refusal):
    message = _("This is not your turn to buy. Please stand in line first.")


class AdmittanceExpired(Refusal):
    message = _("Your time to buy is over.")


class NotInLine(Refusal):
    message = _("You are not in this line.")


class QueueNotPublishable(Refusal):
    message = _("Publish the event first, and give it at least one tier.")


class QueueNotPublished(Refusal):
    message = _("Publish the queue first: nobody can see it yet.")
