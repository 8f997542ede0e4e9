"""What a queue answers when something cannot be."""

from datetime import datetime

from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from accounts.instants import written
from accounts.refusals import Refusal


class QueueNotOpen(Refusal):
    """The opening is still to come; `facts["opens_at"]` says when."""

    def __init__(self, opens_at: datetime) -> None:
        super().__init__(_("The sale has not opened yet."), opens_at=written(opens_at))


class QueueClosed(Refusal):
    message = _("This sale is closed.")


class QueueSoldOut(Refusal):
    message = _("All tickets of this sale have been sold.")


class AccountRequired(Refusal):
    message = _("You need an account to stand in this line. Please sign in, or create one.")


class EmailNotVerified(Refusal):
    message = _("Email verification required: please confirm your e-mail address first.")


class IdentityNotVerified(Refusal):
    message = _("Identity verification required: please verify your identity first.")


class NotInAudience(Refusal):
    message = _("This sale is for invited guests, and your e-mail address is not among them.")


class CardNotEligible(Refusal):
    message = _("This sale is for holders of certain cards, and the digits you entered are of none of them.")


class QueueFull(Refusal):
    """As many wait as may; `facts["retry_after"]` says in how many seconds to try again."""

    def __init__(self) -> None:
        super().__init__(_("This line is full at the moment. Please try again in a little while."), retry_after=30)


class AccessCodeRequired(Refusal):
    message = _("Please enter your presale code")


class AccessCodeInvalid(Refusal):
    """One wording whatever the reason: a guesser learns nothing. Staff see the reason in the admin."""

    message = _("This presale code does not work here. Please check it and try again.")


class CaptchaRequired(Refusal):
    message = _(
        "Please let your browser do a small sum first: it keeps programs out of the line, and takes JavaScript."
    )


class CaptchaFailed(Refusal):
    """Wrong, too old, for somebody else, or used before; a new one is all there is to do."""

    message = _("The check against programs did not succeed. Please try once more.")


class Throttled(Refusal):
    """Too many wrong guesses; `facts["retry_after"]` says in how many seconds to come back."""

    def __init__(self, retry_after: int) -> None:
        message = _("Too many wrong attempts. Please wait ten minutes and try again.")
        super().__init__(message, retry_after=retry_after)


class CodesTooLong(Refusal):
    message = _("The prefix is too long: a code has at most 20 characters, and eight of them are random.")


class MaxUsesBelowUsed(Refusal):
    message = _("More fans than that have used this code already.")


class OrderLimitReached(Refusal):
    message = _("Maximum orders per customer exceeded: you have as many orders for this event as one person may.")


class TicketLimitReached(Refusal):
    message = _("Maximum tickets per customer exceeded: one person may not have more tickets for this event.")


class NoneLeftInQueue(Refusal):
    """The queue's allocation is used up; `facts["available"]` is 0."""

    def __init__(self) -> None:
        super().__init__(_("Sold out: no tickets are left in this sale."), available=0)


class TooFewLeftInQueue(Refusal):
    """The queue's allocation leaves fewer than asked for; `facts["available"]` says how many."""

    def __init__(self, available: int) -> None:
        super().__init__(
            ngettext_lazy(
                "Not enough tickets available: %(available)d ticket is left in this sale.",
                "Not enough tickets available: %(available)d tickets are left in this sale.",
                "available",
            )
            % {"available": available},
            available=available,
        )


class AllocationBelowUsed(Refusal):
    """More tickets are reserved or sold through the queue; `facts["lowest"]` is the lowest allocation possible."""

    def __init__(self, lowest: int) -> None:
        super().__init__(
            _("It cannot be lower than %(lowest)d: so many tickets are reserved or sold in this queue.")
            % {"lowest": lowest},
            lowest=lowest,
        )


class UsedAboveAllocation(Refusal):
    """The rows of a queue say more than its allocation; `facts["counted"]` says how many."""

    def __init__(self, queue: str, counted: int) -> None:
        super().__init__(
            _(
                "%(queue)s has %(counted)d tickets reserved or sold, more than it may give. "
                "Raise its number of tickets first."
            )
            % {"queue": queue, "counted": counted},
            counted=counted,
        )


class AdmittanceInvalid(Refusal):
    message = _("This is not your turn to buy. Please stand in line first.")


class AdmittanceExpired(Refusal):
    message = _("Your time to buy is over.")


class NotInLine(Refusal):
    message = _("You are not in this line.")


class QueueNotPublishable(Refusal):
    message = _("Publish the event first, and give it at least one tier.")


class NobodyWaiting(Refusal):
    message = _("Nobody is waiting in this line.")


class NoticeOut(Refusal):
    message = _("There is nothing to stop: every letter has gone out, or was stopped before.")


class NobodyInside(Refusal):
    message = _("Nobody is inside just now.")


class QueueNotPublished(Refusal):
    message = _("Publish the queue first: nobody can see it yet.")
