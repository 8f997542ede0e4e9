"""Lets the crowd go: all fans at once, in one thread, until each is done or the time is up."""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, TypeVar

import httpx

from config.crowd import scene
from config.crowd.api import Api
from config.crowd.browser import open_browser
from config.crowd.fan import Fan
from config.crowd.pages import Pages
from config.crowd.plans import Plan
from config.crowd.program import open_program
from config.crowd.sale import Sale
from config.crowd.tally import Tally
from config.crowd.way import Via, Way

Answer = TypeVar("Answer")

AT_ONCE = 64
WATCH_SECONDS = 2.0
# Who is not ready by then is late.
READY_SECONDS = 120.0


def run_crowd(
    plans: Sequence[Plan],
    sale: Sale,
    *,
    url: str,
    sessions: Mapping[str, str],
    watch: Callable[[], None],
    limit_seconds: float,
    via: Via,
) -> Tally:
    """Let everyone live through the sale and return what they noted; `watch` is called every two seconds meanwhile.

    Ends after `limit_seconds` at the latest, and notes then how many were not done.
    """
    crowd = _Crowd(sale, url, sessions, watch, via=via)
    return asyncio.run(crowd.live(plans, limit_seconds))


class _Crowd:
    def __init__(
        self, sale: Sale, url: str, sessions: Mapping[str, str], watch: Callable[[], None], *, via: Via
    ) -> None:
        self.tally = Tally(via=via)
        self._sale = sale
        self._url = url
        self._sessions = sessions
        self._watch = watch
        self._gate = asyncio.Semaphore(AT_ONCE)
        # One thread, hence one connection, for what asks the database.
        self._clerk = ThreadPoolExecutor(1)

    async def live(self, plans: Sequence[Plan], limit_seconds: float) -> Tally:
        limits = httpx.Limits(max_connections=AT_ONCE, max_keepalive_connections=AT_ONCE, keepalive_expiry=2)
        async with httpx.AsyncHTTPTransport(limits=limits) as transport:
            crowd = [self._fan(plan, transport) for plan in plans]
            watching = asyncio.create_task(self._keep_watching())
            preparing = [asyncio.create_task(fan.prepare(), name=fan.plan.email) for fan in crowd]
            await self._wait_until_ready(preparing)
            sale = await self._ask_clerk(scene.open_soon, self._sale)
            fans = [
                asyncio.create_task(live(fan, prepared, sale), name=fan.plan.email)
                for fan, prepared in zip(crowd, preparing, strict=True)
            ]
            _, late = await asyncio.wait(fans, timeout=limit_seconds)
            if late:
                self.tally.errors.append(f"{len(late)} fans were not done after {limit_seconds:.0f} s")
            for task in [*late, watching]:
                task.cancel()
            for task, result in zip(fans, await asyncio.gather(*fans, return_exceptions=True), strict=True):
                if isinstance(result, Exception):
                    where = traceback.format_exception_only(result)[-1].strip()
                    self.tally.errors.append(f"{task.get_name()} could not go on: {where}")
        self._clerk.shutdown()
        return self.tally

    async def _wait_until_ready(self, preparing: Sequence[asyncio.Task[None]]) -> None:
        _, late = await asyncio.wait(preparing, timeout=READY_SECONDS)
        if late:
            names = ", ".join(sorted(task.get_name() for task in late))
            print(f"Not ready after {READY_SECONDS:.0f} s, so the sale opens all the same: {names}", flush=True)

    def _fan(self, plan: Plan, transport: httpx.AsyncBaseTransport) -> Fan:
        session = self._sessions.get(plan.email, "")
        way = open_way(plan, transport, self._url, gate=self._gate, tally=self.tally, session=session)
        return Fan(plan, way, self._sale, self.tally, self._read_letter)

    async def _read_letter(self, email: str) -> str:
        return await self._ask_clerk(scene.link_of_letter, email)

    async def _keep_watching(self) -> None:
        while True:
            await self._ask_clerk(self._watch)
            await asyncio.sleep(WATCH_SECONDS)

    async def _ask_clerk(self, ask: Callable[..., Answer], *given: Any) -> Answer:
        return await asyncio.get_running_loop().run_in_executor(self._clerk, partial(ask, *given))


def open_way(
    plan: Plan, transport: httpx.AsyncBaseTransport, url: str, *, gate: asyncio.Semaphore, tally: Tally, session: str
) -> Way:
    """Return a fan's own way to a site, as the tally says that the crowd comes; signed in with a session, if any."""
    # Everyone comes from an address of their own.
    own: dict[str, Any] = {"gate": gate, "tally": tally, "address": f"10.0.{plan.number // 256}.{plan.number % 256}"}
    browser = open_browser(transport, url, session=session, **own)
    if tally.via == Via.PAGES:
        return Pages(browser)
    # A session's key is its token.
    habits: dict[str, Any] = {"token": session, "careful": plan.is_careful, "loses_answers": plan.loses_answers}
    return Api(open_program(transport, url, **own, **habits), browser)


async def live(fan: Fan, prepared: asyncio.Task[None], sale: Sale) -> None:
    await prepared
    await fan.live(sale)
