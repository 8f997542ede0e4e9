"""The browser's way in: the line's page, the checkout, the tickets."""

from orders.views.account import close_account, download_data, your_data
from orders.views.checkout import cancel_payment, give_back, order_detail, pay, payment, return_from_payment
from orders.views.line import claim, hold, join, journey, leave, ready
from orders.views.tickets import my_tickets, ticket

__all__ = [
    "cancel_payment",
    "claim",
    "close_account",
    "download_data",
    "give_back",
    "hold",
    "join",
    "journey",
    "leave",
    "my_tickets",
    "order_detail",
    "pay",
    "payment",
    "ready",
    "return_from_payment",
    "ticket",
    "your_data",
]
