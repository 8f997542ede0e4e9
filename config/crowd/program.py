"""A fan's program: asks by JSON, remembers answers by their ETags, and names what it creates by a key."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any
from uuid import uuid4

import httpx

from config.crowd.tally import Tally
from config.crowd.wire import LOST, Reply, Wire, open_client


def open_program(
    transport: httpx.AsyncBaseTransport,
    url: str,
    *,
    gate: asyncio.Semaphore,
    tally: Tally,
    address: str = "",
    **habits: Any,
) -> Program:
    """Return a program for a site, coming from a network address; see `Program` for its habits."""
    no_cookies = CookieJar(DefaultCookiePolicy(allowed_domains=[]))
    client = open_client(transport, url, address=address, cookies=no_cookies)
    return Program(Wire(client, gate, tally), **habits)


class Program:
    """One fan's program, which keeps no cookies: its session's token goes with everything it asks.

    One that is `careful` asks whether something has changed (If-None-Match). One that `loses_answers` meets a bad line:
    the answer to whatever it creates gets lost once, and it asks again with the same key.
    """

    def __init__(self, wire: Wire, *, token: str, careful: bool, loses_answers: bool) -> None:
        self._wire = wire
        self.tally = wire.tally
        self.careful = careful
        self._loses_answers = loses_answers
        self._kept: dict[str, Reply] = {}
        self.token = token

    async def get(self, url: str) -> Reply:
        """Ask; where nothing has changed, the answer that is kept is returned as if it had come now."""
        kept = self._kept.get(url)
        reply = await self._ask("GET", url, {"If-None-Match": kept.headers["ETag"]} if kept else {})
        if kept and reply.status == 304:
            return replace(kept, sent=reply.sent, answered=reply.answered)
        if self.careful and reply.status == 200 and "ETag" in reply.headers:
            self._kept[url] = reply
        return reply

    async def post(self, url: str, body: Any = None) -> Reply:
        return await self._ask("POST", url, {}, json=body or {})

    async def delete(self, url: str) -> Reply:
        return await self._ask("DELETE", url, {})

    async def create(self, url: str, body: Any = None) -> Reply:
        """Post with a key of its own; whoever has no answer asks once more with the same."""
        key = {"Idempotency-Key": str(uuid4())}
        first = await self._ask("POST", url, key, json=body or {})
        is_done = 200 <= first.status < 300
        if not (first.status == LOST or (is_done and self._loses_answers)):
            return first
        again = await self._ask("POST", url, key, json=body or {})
        if is_done:
            self.tally.repeated += 1
            self.tally.differing += (again.status, again.text) != (first.status, first.text)
        return replace(again, first_sent=first.sent)

    async def _ask(self, method: str, url: str, headers: dict[str, str], **sent: Any) -> Reply:
        own = {"X-Session-Token": self.token} if self.token else {}
        return await self._wire.ask(method, url, headers={"Accept": "application/json", **own, **headers}, **sent)
