"""Codes that people read, type and scan."""

from accounts.alphabet import random_text

CONFIRMATION_LENGTH = 8
# 27 letters of an alphabet of 31 are 133 bits: nobody guesses a ticket.
TICKET_LENGTH = 27


def confirmation_number() -> str:
    return random_text(CONFIRMATION_LENGTH)


def ticket_code() -> str:
    return random_text(TICKET_LENGTH)
