"""Lets the crowd go: all fans at once, in one thread, until each is done or the time is up."""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

import httpx
from django.conf import settings

from config.crowd import scene
from config.crowd.browser import ANSWER_SECONDS, Browser
from config.crowd.fan import Fan, Sale
from config.crowd.plans import Plan
from config.crowd.tally import Tally

AT_ONCE = 64
WATCH_SECONDS = 2.0


def run_crowd(
    plans: Sequence[Plan],
    sale: Sale,
    *,
    url: str,
    sessions: Mapping[str, str],
    watch: Callable[[], None],
    limit_seconds: float,
) -> Tally:
    """Let everyone live through the sale and return what they noted; `watch` is called every two seconds meanwhile.

    Ends after `limit_seconds` at the latest, and notes then how many were not done.
    """
    crowd = _Crowd(sale, url, sessions, watch)
    return asyncio.run(crowd.live(plans, limit_seconds))


class _Crowd:
    def __init__(self, sale: Sale, url: str, sessions: Mapping[str, str], watch: Callable[[], None]) -> None:
        self.tally = Tally()
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
            fans = [asyncio.create_task(self._fan(plan, transport).live(), name=plan.email) for plan in plans]
            watching = asyncio.create_task(self._keep_watching())
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

    def _fan(self, plan: Plan, transport: httpx.AsyncBaseTransport) -> Fan:
        client = httpx.AsyncClient(
            transport=transport, base_url=self._url, timeout=ANSWER_SECONDS, trust_env=False, follow_redirects=False
        )
        if plan.email in self._sessions:
            client.cookies.set(settings.SESSION_COOKIE_NAME, self._sessions[plan.email], domain="127.0.0.1")
        return Fan(plan, Browser(client, self._gate, self.tally), self._sale, self.tally, self._read_letter)

    async def _read_letter(self, email: str) -> str:
        return await asyncio.get_running_loop().run_in_executor(self._clerk, scene.link_of_letter, email)

    async def _keep_watching(self) -> None:
        while True:
            await asyncio.get_running_loop().run_in_executor(self._clerk, self._watch)
            await asyncio.sleep(WATCH_SECONDS)
