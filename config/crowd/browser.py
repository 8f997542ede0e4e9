"""A fan's browser: cookies, pages, forms, and a watch on every answer."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from html.parser import HTMLParser
from urllib.parse import urljoin

import httpx
from django.conf import settings

from config.crowd.tally import Tally

FORM = re.compile(r"<form\b.*?</form>", re.DOTALL | re.IGNORECASE)
HEADING = re.compile(r"<h1[^>]*>(.*?)</h1>", re.DOTALL)
CHALLENGE = re.compile(r'challengeurl="([^"]+)"')
PLACE = re.compile(r'data-place="(\d+)"')
# A sale under load may answer late; a browser would wait longer still.
ANSWER_SECONDS = 30
# Seconds since the epoch by a clock that never jumps.
EPOCH = time.time() - time.perf_counter()
Files = Mapping[str, tuple[str, bytes, str]]
UNPRESSED = {"submit", "button", "image", "reset", "file"}


def clock() -> float:
    """Return the crowd's time: seconds since the epoch, of one clock for all fans."""
    return EPOCH + time.perf_counter()


class FormReader(HTMLParser):
    """Reads one form as a browser would send it untouched."""

    def __init__(self) -> None:
        super().__init__()
        self.action = ""
        self.fields: dict[str, str] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "form":
            self.action = given.get("action") or ""
        if tag not in {"input", "select", "textarea"} or not given.get("name"):
            return
        kind = given.get("type") or ""
        if kind in UNPRESSED or (kind in {"checkbox", "radio"} and "checked" not in given):
            return
        self.fields[given["name"] or ""] = given.get("value") or ""


@dataclass(frozen=True)
class Form:
    """Where a form goes and what is in it."""

    action: str
    fields: Mapping[str, str]


@dataclass(frozen=True)
class Page:
    """One answer."""

    url: str
    status: int
    text: str
    location: str
    refusal: str
    sent: float
    answered: float

    @cached_property
    def forms(self) -> list[Form]:
        found = []
        for match in FORM.findall(self.text):
            reader = FormReader()
            reader.feed(match)
            found.append(Form(urljoin(self.url, reader.action), reader.fields))
        return found

    @property
    def challenge(self) -> str | None:
        """The address of the sum to work out before the page's form is sent, where it asks for one."""
        match = CHALLENGE.search(self.text)
        return match[1] if match else None

    @property
    def place(self) -> int | None:
        """The fan's place in line, where the page shows it."""
        match = PLACE.search(self.text)
        return int(match[1]) if match else None

    @property
    def heading(self) -> str:
        match = HEADING.search(self.text)
        return match[1].strip() if match else ""

    @property
    def leads_on(self) -> bool:
        return self.status in {301, 302, 303}

    def form(self, part: str) -> Form | None:
        """Return the form that goes to an address with this part, if the page has one."""
        return next((form for form in self.forms if part in form.action), None)


def open_browser(
    transport: httpx.AsyncBaseTransport,
    url: str,
    *,
    gate: asyncio.Semaphore,
    tally: Tally,
    session: str = "",
    address: str = "",
) -> Browser:
    """Return a browser of its own cookies for a site; signed in with a session, coming from a network address."""
    client = httpx.AsyncClient(
        transport=transport,
        base_url=url,
        timeout=ANSWER_SECONDS,
        trust_env=False,
        follow_redirects=False,
        # As a proxy in front would tell it.
        headers={"X-Forwarded-For": address} if address else {},
    )
    if session:
        client.cookies.set(settings.SESSION_COOKIE_NAME, session, domain="127.0.0.1")
    return Browser(client, gate, tally)


class Browser:
    """One fan's browser; its tabs share cookies. At most so many requests as the gate lets through are under way."""

    def __init__(self, client: httpx.AsyncClient, gate: asyncio.Semaphore, tally: Tally) -> None:
        self._client = client
        self._gate = gate
        self.tally = tally

    async def open(self, url: str) -> Page:
        """Go to an address and follow where it leads."""
        page = await self.get(url)
        return await self.follow(page)

    async def get(self, url: str) -> Page:
        return await self._ask("GET", url)

    async def send(self, form: Form, **values: str) -> Page:
        """Send a form with some of its fields filled in; returns its answer without following it."""
        return await self._ask("POST", form.action, {**form.fields, **values})

    async def send_with_photo(self, form: Form, photo: bytes, **values: str) -> Page:
        """Send a form that asks for a photo; returns its answer without following it."""
        files = {"photo": ("document.jpg", photo, "image/jpeg")}
        return await self._ask("POST", form.action, {**form.fields, **values}, files)

    async def follow(self, page: Page) -> Page:
        while page.leads_on:
            page = await self.get(urljoin(page.url, page.location))
        return page

    async def _ask(
        self, method: str, url: str, data: Mapping[str, str] | None = None, files: Files | None = None
    ) -> Page:
        async with self._gate:
            sent = clock()
            try:
                # Django looks at the referrer of forms sent by HTTPS only; a browser always sends it.
                answer = await self._client.request(method, url, data=data, files=files, headers={"Referer": url})
            except httpx.TransportError as error:
                self.tally.errors.append(f"{method} {url}: {type(error).__name__} {error}")
                return Page(url, 599, "", "", "", sent, clock())
            answered = clock()
        page = Page(
            url=url,
            status=answer.status_code,
            text=answer.text,
            location=answer.headers.get("Location", ""),
            refusal=answer.headers.get("X-Refusal", ""),
            sent=sent,
            answered=answered,
        )
        self._note(method, page)
        return page

    def _note(self, method: str, page: Page) -> None:
        if page.status >= 500:
            self.tally.errors.append(f"{method} {page.url}: {page.status} {page.refusal}")
        if page.refusal:
            self.tally.refused[page.refusal] += 1
        elif 400 <= page.status < 500:
            self.tally.refused[f"http_{page.status}"] += 1
