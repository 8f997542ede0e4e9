"""Somebody with a browser, and what is watched while they use it."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

from django.test import Client
from playwright.sync_api import BrowserContext, ConsoleMessage, Locator, Page, Request, Response, expect

from accounts.models import User

PATIENCE_MS = 20_000
NewVisitor = Callable[..., "Visitor"]


class Visitor:
    """A person at a page: goes somewhere, presses what has a name, and sees."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def sign_in(self, user: User) -> None:
        """Sign in without the form."""
        client = Client()
        client.force_login(user)
        cookie = client.cookies["sessionid"].value
        host = {"domain": "127.0.0.1", "path": "/"}
        self.page.context.add_cookies([{"name": "sessionid", "value": cookie, **host}])  # type: ignore[typeddict-item]

    def second_tab(self) -> Visitor:
        """Open another tab of the same browser."""
        return Visitor(self.page.context.new_page())

    def go(self, path: str) -> None:
        self.page.goto(path)

    def press(self, name: str) -> None:
        """Press the button or link of the page's main part that has this name."""
        self.named(name).click()

    def named(self, name: str) -> Locator:
        main = self.page.locator("main")
        button, link = (main.get_by_role(role, name=name, exact=True) for role in ("button", "link"))
        return button.or_(link).first

    def fill(self, label: str, value: str) -> None:
        self.page.get_by_label(label, exact=True).fill(value)

    def sees(self, heading: str) -> None:
        """Wait until the page with this heading is there: a press is over before the page that it leads to has come."""
        expect(self.page.locator("h1")).to_have_text(heading)

    @property
    def path(self) -> str:
        return urlsplit(self.page.url).path

    @property
    def focused(self) -> Locator:
        return self.page.locator(":focus")


class Watch:
    """Notes what no page may do: complain to the console, look outside, answer with an error, come without a name."""

    def __init__(self, context: BrowserContext, url: str) -> None:
        self.context, self.url = context, url
        context.set_default_timeout(PATIENCE_MS)
        self.complaints: list[str] = []
        self.refused: set[str] = set()
        # The one failure of the server that is expected, if any.
        self.failure: int | None = None
        context.on("console", self._hear)
        context.on("weberror", lambda error: self.complaints.append(str(error.error)))
        context.on("request", self._see_request)
        context.on("response", self._see_response)

    def told(self) -> list[str]:
        """Return what was noted since the last time."""
        told, self.complaints = self.complaints, []
        return told

    def finish(self) -> list[str]:
        """Close the browser; return what was noted."""
        self.context.close()
        return self.told()

    def _hear(self, message: ConsoleMessage) -> None:
        # Chromium says in the console, too, that a page answered with a refusal.
        is_refusal = "with a status of" in message.text and message.location["url"] in self.refused
        is_offline = "ERR_INTERNET_DISCONNECTED" in message.text
        if message.type in {"error", "warning"} and not is_refusal and not is_offline:
            self.complaints.append(f"{message.type}: {message.text} ({message.location['url']})")

    def _see_request(self, request: Request) -> None:
        if not request.url.startswith((self.url, "data:")):
            self.complaints.append(f"outside: {request.url}")

    def _see_response(self, response: Response) -> None:
        is_expected = 400 <= response.status < 500 or response.status == self.failure
        if response.request.is_navigation_request() and is_expected:
            self.refused.add(response.url)
        elif response.status >= 400:
            self.complaints.append(f"{response.status}: {response.url}")
