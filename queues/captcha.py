"""The sum that a browser works out before its fan joins: ALTCHA's proof of work, made and checked here.

Nothing is kept before it is solved: a challenge is signed with a key of our own, and says by itself for which queue and
fan it is and until when. That a solution serves once is kept by a row (`conditions.SpentSolution`).
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import altcha
from django.utils.crypto import salted_hmac

LIFETIME = timedelta(minutes=20)
# The most sums to try; half of them on average. What that takes on a phone: docs/decisions/0007.
MOST_SUMS = {"low": 5_000, "medium": 30_000, "high": 150_000}
ALGORITHM: Final = "SHA-256"
# A solution as the widget sends it has some three hundred letters.
LONGEST = 1_000
# What else JSON can spell, a column or a hash would fail at.
DIGEST = re.compile(r"[0-9a-f]{64}")
# As `new_challenge` writes it and in no other way: the library takes a value that is named twice as its last, and a
# reader who took the first would let a fan write another account or another hour in front of the signed one.
SALT = re.compile(
    r"[0-9a-f]{24}\?expires=(?P<expires>[0-9]{1,12})&queue=(?P<queue>[0-9]+)&fan=(?P<fan>[0-9]+|[0-9a-f-]{36})&"
)


@dataclass(frozen=True)
class Solution:
    """What a browser has sent, readable and not yet checked; `signature` is the challenge's, and names it."""

    signature: str
    expires: int
    queue: int
    # The pk of an account, or of a visitor.
    fan: str
    payload: altcha.Payload

    def is_good_for(self, *, queue_id: int, fan: str, now: datetime) -> bool:
        """Whether it solves a challenge of ours for this queue and fan, in time."""
        if (self.queue, self.fan) != (queue_id, fan) or self.expires <= now.timestamp():
            return False
        is_solved, _ = altcha.verify_solution(self.payload, _key(), check_expires=False)
        return is_solved


def new_challenge(*, queue_id: int, fan: str, threshold: str, now: datetime) -> dict[str, Any]:
    """Return a challenge in the words of ALTCHA's widget."""
    options = altcha.ChallengeOptions(
        algorithm=ALGORITHM,
        max_number=MOST_SUMS[threshold],
        hmac_key=_key(),
        expires=now + LIFETIME,
        params={"queue": str(queue_id), "fan": fan},
    )
    return altcha.create_challenge(options).to_dict()


def solve(challenge: dict[str, Any]) -> str:
    """Work a challenge out, as a browser does; for those who come without one."""
    found = altcha.solve_challenge(challenge["challenge"], challenge["salt"], ALGORITHM, challenge["maxNumber"])
    if found is None:
        raise ValueError("The challenge has no solution.")
    solved = {name: challenge[name] for name in ("algorithm", "challenge", "salt", "signature")}
    return base64.b64encode(json.dumps({**solved, "number": found.number}).encode()).decode()


def read_solution(text: str) -> Solution | None:
    """Return what a browser has sent, or None where it cannot be a solution."""
    try:
        sent = json.loads(base64.b64decode(text[: LONGEST + 1], validate=True)) if len(text) <= LONGEST else None
    except (ValueError, binascii.Error, RecursionError):
        return None
    if not isinstance(sent, dict) or type(sent.get("number")) is not int or sent.get("algorithm") != ALGORITHM:
        return None
    challenge, salt, signature = (str(sent.get(name)) for name in ("challenge", "salt", "signature"))
    if not (DIGEST.fullmatch(challenge) and DIGEST.fullmatch(signature) and (match := SALT.fullmatch(salt))):
        return None
    payload = altcha.Payload(ALGORITHM, challenge, sent["number"], salt, signature)
    expires, queue, fan = match.group("expires", "queue", "fan")
    return Solution(signature=signature, expires=int(expires), queue=int(queue), fan=fan, payload=payload)


def _key() -> str:
    return salted_hmac("queues.captcha", "altcha", algorithm="sha256").hexdigest()
