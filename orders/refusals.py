"""What an order answers when something cannot be."""

from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from accounts.refusals import Refusal


class NothingChosen(Refusal):
    message = _("Please choose at least one ticket.")


class OrderTooLarge(Refusal):
    """`facts["maximum"]` says how many tickets an order may have."""

    def __init__(self, maximum: int) -> None:
        super().__init__(
            ngettext_lazy("Maximum %(maximum)d ticket per order.", "Maximum %(maximum)d tickets per order.", "maximum")
            % {"maximum": maximum},
            maximum=maximum,
        )


class TierNotReleased(Refusal):
    message = _("These tickets are not on sale yet.")


class HoldLapsed(Refusal):
    message = _("The time to pay is over, and your tickets have gone back on sale.")


class OrderNotHeld(Refusal):
    message = _("These tickets are not held any more: the order is paid, or has ended before.")


class PaymentInProgress(Refusal):
    message = _("A payment for this order is in progress. Finish it or cancel it first.")


class PaymentDeclined(Refusal):
    message = _("The payment was declined. Your tickets are still held for you; please try again.")


class PaymentUnavailable(Refusal):
    message = _("The payment provider cannot be reached. Your tickets are still held for you; please try again.")


class OrderNotPayable(Refusal):
    message = _("This order cannot be paid.")


class NotPaid(Refusal):
    message = _("This order is not paid, so that there is no receipt to send.")


class OrderNotFound(Refusal):
    message = _("There is no such order.")


class TicketNotFound(Refusal):
    message = _("There is no such ticket.")


class StillInLine(Refusal):
    message = _("You still stand in line or hold tickets. Leave first; then you can close your account.")


class StillPaying(Refusal):
    message = _("A payment is still open. Finish it or cancel it; then you can close your account.")


class StillHasTickets(Refusal):
    message = _(
        "You have tickets for an event that is still to come, and would lose them. "
        "You can close your account the day after the event, or once the tickets are gone."
    )
