"""Everything that can happen to an order."""

from orders.services.allocations import change_allocation, tickets_used
from orders.services.cancellations import tell_next_buyers
from orders.services.checkout import cancel_payment, start_payment, submit_payment
from orders.services.closing import check_may_close, close_account, read_own_data
from orders.services.contacts import correct_contact, send_receipt
from orders.services.holds import expire_next_order, expire_order, hold_tickets, leave_line, release_order
from orders.services.recounts import Difference, find_differences, recount_stock
from orders.services.settlement import refund_next_payment, settle_next_payment, settle_order, settle_payment
from orders.services.windows import extend_windows

__all__ = [
    "Difference",
    "cancel_payment",
    "change_allocation",
    "check_may_close",
    "close_account",
    "correct_contact",
    "expire_next_order",
    "expire_order",
    "extend_windows",
    "find_differences",
    "hold_tickets",
    "leave_line",
    "read_own_data",
    "recount_stock",
    "refund_next_payment",
    "release_order",
    "send_receipt",
    "settle_next_payment",
    "settle_order",
    "settle_payment",
    "start_payment",
    "submit_payment",
    "tell_next_buyers",
    "tickets_used",
]
