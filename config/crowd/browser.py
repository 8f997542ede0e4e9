"""A fan's browser: cookies, pages and forms."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from html.parser import HTMLParser
from typing import Any, Self
from urllib.parse import urljoin

import httpx
from django.conf import settings

from config.crowd.tally import Tally
from config.crowd.wire import Reply, Wire, open_client

FORM = re.compile(r"<form\b.*?</form>", re.DOTALL | re.IGNORECASE)
HEADING = re.compile(r"<h1[^>]*>(.*?)</h1>", re.DOTALL)
CHALLENGE = re.compile(r'challengeurl="([^"]+)"')
PLACE = re.compile(r'data-place="(\d+)"')
UNPRESSED = {"submit", "button", "image", "reset", "file"}


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
class Page(Reply):
    """One answer that is to be read as a page."""

    @classmethod
    def of(cls, reply: Reply) -> Self:
        return cls(reply.url, reply.status, reply.text, reply.headers, reply.sent, reply.answered)

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
    browser = Browser(Wire(open_client(transport, url, address=address), gate, tally))
    if session:
        browser.sign_in(session)
    return browser


class Browser:
    """One fan's browser; its tabs share cookies."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    def sign_in(self, session: str) -> None:
        """Go on as whoever has this session."""
        self._wire.client.cookies.set(settings.SESSION_COOKIE_NAME, session, domain="127.0.0.1")

    async def open(self, url: str) -> Page:
        """Go to an address and follow where it leads."""
        page = await self.get(url)
        return await self.follow(page)

    async def get(self, url: str) -> Page:
        return await self._ask("GET", url)

    async def send(self, form: Form, **values: str) -> Page:
        """Send a form with some of its fields filled in; returns its answer without following it."""
        return await self._ask("POST", form.action, data={**form.fields, **values})

    async def send_with_photo(self, form: Form, photo: bytes, **values: str) -> Page:
        """Send a form that asks for a photo; returns its answer without following it."""
        files = {"photo": ("document.jpg", photo, "image/jpeg")}
        return await self._ask("POST", form.action, data={**form.fields, **values}, files=files)

    async def follow(self, page: Page) -> Page:
        while page.leads_on:
            page = await self.get(urljoin(page.url, page.location))
        return page

    async def _ask(self, method: str, url: str, **sent: Any) -> Page:
        # Django looks at the referrer of forms sent by HTTPS only; a browser always sends it.
        return Page.of(await self._wire.ask(method, url, headers={"Referer": url}, **sent))
