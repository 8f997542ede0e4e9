"""Codes that people read, type and scan: no letter or digit that looks like another."""

import secrets

ALPHABET = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"

CONFIRMATION_LENGTH = 8
# 27 letters of an alphabet of 31 are 133 bits: nobody guesses a ticket.
TICKET_LENGTH = 27


def confirmation_number() -> str:
    return _random(CONFIRMATION_LENGTH)


def ticket_code() -> str:
    return _random(TICKET_LENGTH)


def _random(length: int) -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(length))
