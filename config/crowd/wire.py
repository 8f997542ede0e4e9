"""What a fan asks of the site, in whatever way: through the gate, by the crowd's clock, with a watch on answers."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from config.crowd.tally import Tally

# A sale under load may answer late; a browser would wait longer still.
ANSWER_SECONDS = 30
# What stands for an answer that never came.
LOST = 599
# Seconds since the epoch by a clock that never jumps.
EPOCH = time.time() - time.perf_counter()


def clock() -> float:
    """Return the crowd's time: seconds since the epoch, of one clock for all fans."""
    return EPOCH + time.perf_counter()


@dataclass(frozen=True)
class Reply:
    """One answer; `sent` and `answered` are by the crowd's clock, as is `first_sent` of what was asked for again."""

    url: str
    status: int
    text: str
    headers: Mapping[str, str]
    sent: float
    answered: float
    first_sent: float = 0

    @property
    def location(self) -> str:
        return self.headers.get("Location", "")

    @property
    def refusal(self) -> str:
        return self.headers.get("X-Refusal", "")

    @property
    def seconds(self) -> float:
        return self.answered - self.sent

    @property
    def json(self) -> Any:
        return json.loads(self.text)


def open_client(
    transport: httpx.AsyncBaseTransport, url: str, *, address: str = "", **options: Any
) -> httpx.AsyncClient:
    """Return a client of the site that comes from a network address; the options are httpx's."""
    return httpx.AsyncClient(
        transport=transport,
        base_url=url,
        timeout=ANSWER_SECONDS,
        trust_env=False,
        follow_redirects=False,
        # As a proxy in front would tell it.
        headers={"X-Forwarded-For": address} if address else {},
        **options,
    )


class Wire:
    """One fan's connection. At most so many requests as the gate lets through are under way."""

    def __init__(self, client: httpx.AsyncClient, gate: asyncio.Semaphore, tally: Tally) -> None:
        self.client = client
        self.tally = tally
        self._gate = gate

    async def ask(self, method: str, url: str, **sent: Any) -> Reply:
        """Ask, and note what came; the options are httpx's. No answer at all is one with the status 599."""
        async with self._gate:
            sent_at = clock()
            try:
                answer = await self.client.request(method, url, **sent)
            except httpx.TransportError as error:
                self.tally.errors.append(f"{method} {url}: {type(error).__name__} {error}")
                return Reply(url, LOST, "", {}, sent_at, clock())
            reply = Reply(url, answer.status_code, answer.text, answer.headers, sent_at, clock())
        self._note(method, reply)
        return reply

    def _note(self, method: str, reply: Reply) -> None:
        if reply.status >= 500:
            self.tally.errors.append(f"{method} {reply.url}: {reply.status} {reply.refusal}")
        self.tally.unchanged += reply.status == 304
        if reply.refusal:
            self.tally.refused[reply.refusal] += 1
        elif 400 <= reply.status < 500:
            self.tally.refused[f"http_{reply.status}"] += 1
