"""A program's way in: the line, orders, paying, tickets."""

from orders.api.line import ClaimView, JoinView, JourneyView, LeaveView, ReadyView
from orders.api.orders import OrdersView, OrderView
from orders.api.payments import CancelPaymentView, PayView
from orders.api.tickets import TicketsView, TicketView

__all__ = [
    "CancelPaymentView",
    "ClaimView",
    "JoinView",
    "JourneyView",
    "LeaveView",
    "OrderView",
    "OrdersView",
    "PayView",
    "ReadyView",
    "TicketView",
    "TicketsView",
]
