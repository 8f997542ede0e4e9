"""Texts that nobody guesses and everybody can read out, type and scan."""

import secrets

# No letter or digit that looks like another.
ALPHABET = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"


def random_text(length: int) -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(length))
