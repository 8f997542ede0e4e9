"""A program's way in: orders, paying, tickets."""

from orders.api.orders import OrdersView, OrderView
from orders.api.payments import CancelPaymentView, PayView
from orders.api.tickets import TicketsView, TicketView

__all__ = ["CancelPaymentView", "OrderView", "OrdersView", "PayView", "TicketView", "TicketsView"]
