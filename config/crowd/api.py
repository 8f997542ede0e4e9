"""The way in by the REST API; only what it does not offer is done on pages: documents, the provider's."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any
from urllib.parse import unquote

from config.crowd.browser import Browser
from config.crowd.pages import ProviderPage, provider_page, stock_in, verify_identity
from config.crowd.program import Program
from config.crowd.sale import Line, Sale
from config.crowd.way import NOT_ASKED, PASSWORD, Answer, ReadLetter, Sight, WayBlockedError
from config.crowd.wire import Reply
from queues import captcha

AUTH = "/_allauth/app/v1/auth"
ORDERS = "/api/v1/orders/"
JOINABLE = {"open", "paused"}
OVER = {"sold_out", "closed"}
NOT_IN_LINE = {"not_started", "expired", "completed"}


class Api:
    """Reaches the site by its API (a `Way`)."""

    def __init__(self, program: Program, browser: Browser) -> None:
        self._program = program
        self._browser = browser
        # Of the orders that were looked at.
        self._tickets: dict[str, int] = {}
        # The queues that have been shown everything they ask for.
        self._shown_to: set[str] = set()

    async def sign_up(self, name: str, email: str, read_letter: ReadLetter) -> None:
        await self._sign("/signup", {"email": email, "password": PASSWORD, "name": name})
        key = unquote((await read_letter(email)).rstrip("/").rpartition("/")[2])
        await self._sign("/email/verify", {"key": key})
        self._browser.sign_in(self._program.token)
        await verify_identity(self._browser, name)

    async def _sign(self, step: str, given: dict[str, str]) -> None:
        """Take a step of signing up, and the session's token with it."""
        reply = await self._program.post(AUTH + step, given)
        if reply.status != 200:
            raise WayBlockedError(f"{reply.url} answered {reply.status}: {reply.text}")
        self._program.token = reply.json["meta"].get("session_token") or self._program.token

    async def look_at_event(self, sale: Sale) -> None:
        await self._program.get(sale.event_in_api)

    async def read_stock(self, sale: Sale) -> dict[str, int]:
        return stock_in(await self._program.get(sale.availability))

    def door(self, line: Line) -> ApiDoor:
        return ApiDoor(line, self._program, self._shown_to)

    async def is_payable(self, order: str) -> bool:
        reply = await self._program.get(f"{ORDERS}{order}/")
        if reply.status != 200 or reply.json["status"] != "held":
            return False
        self._tickets[order] = sum(line["quantity"] for line in reply.json["lines"])
        return True

    async def open_payment(self, order: str, *, name: str, email: str) -> ApiCounter:
        return ApiCounter(order, self._whose(order, name, email), self._program)

    async def go_to_provider(self, order: str, *, name: str, email: str) -> ProviderPage | None:
        reply = await self._program.create(f"{ORDERS}{order}/pay/", self._whose(order, name, email))
        if reply.status != 200 or not reply.json["redirect_url"]:
            return None
        return provider_page(await self._browser.open(reply.json["redirect_url"]), self._browser)

    def _whose(self, order: str, name: str, email: str) -> dict[str, Any]:
        numbers = range(1, self._tickets[order] + 1)
        return {"holders": [f"{name} {number}" for number in numbers], "email": email}

    async def give_back(self, order: str) -> None:
        await self._program.delete(f"{ORDERS}{order}/")

    async def look_at_tickets(self) -> None:
        await self._program.get("/api/v1/tickets/")


class ApiDoor:
    """One line, by the fan's journey through it (a `Door`)."""

    def __init__(self, line: Line, program: Program, shown_to: set[str]) -> None:
        self.line = line
        self._program = program
        self._shown_to = shown_to
        self._journey: dict[str, Any] = {"stage": "not_started", "phase": "unknown"}
        self._filled_in: dict[str, str] = {}

    async def look(self) -> Sight:
        reply = await self._program.get(f"{self.line.api}journey/")
        if reply.status != 200:
            return Sight()
        self._journey = own = reply.json
        is_over, is_outside = own["phase"] in OVER, own["stage"] in NOT_IN_LINE
        return Sight(
            can_join=is_outside and own["phase"] in JOINABLE,
            can_show_code=is_outside and not is_over,
            # The end of a sale is told before the line has been dissolved.
            place=None if is_over else own["place"],
            has_turn=own["stage"] == "admitted" and (own["phase"] != "sold_out" or bool(own["order"])),
        )

    async def read_board(self) -> Reply:
        if not self._program.careful:
            # Who was badly written asks for more than what tells it enough.
            await self._program.get(f"{self.line.api}journey/")
        return await self._program.get(self.line.board)

    async def fill_in(self) -> None:
        """Ask what is missing, and have it at hand: the code, and the sum worked out. What was shown is remembered."""
        self._filled_in = {}
        if self.line.slug in self._shown_to:
            return
        reply = await self._program.post(f"{self.line.api}ready/")
        missing = reply.json["missing"] if reply.status == 200 else []
        if self.line.code:
            self._filled_in["access_code"] = self.line.code
        if "captcha_required" in missing:
            challenge = await self._program.get(f"{self.line.api}captcha/")
            self._filled_in["captcha"] = await asyncio.to_thread(captcha.solve, challenge.json)

    async def get_ready(self) -> Answer:
        answer = await self._show(self._filled_in)
        if answer.is_taken:
            self._shown_to.add(self.line.slug)
        return answer

    async def show_code(self, code: str) -> Answer:
        return await self._show({"access_code": code})

    async def _show(self, shown: dict[str, str]) -> Answer:
        """Show something; what is still missing then is a refusal, as on the page."""
        reply = await self._program.post(f"{self.line.api}ready/", shown)
        missing = reply.json["missing"] if reply.status == 200 else []
        if missing:
            self._program.tally.refused[missing[0]] += 1
            return replace(Answer.of(reply, is_taken=False), refusal=missing[0])
        return answer_of(reply)

    async def join(self) -> Answer:
        return answer_of(await self._program.create(f"{self.line.api}join/", self._filled_in))

    async def show_up(self) -> None:
        if self._journey["stage"] == "admitted":
            await self._program.post(f"{self.line.api}claim/")

    async def hold(self, tier: str, number: int) -> Answer:
        token = self._journey.get("admittance_token")
        if token is None:
            return NOT_ASKED
        wanted = {"admittance_token": token, "lines": [{"tier": tier, "quantity": number}]}
        reply = await self._program.create(ORDERS, wanted)
        return answer_of(reply, order=reply.json["code"] if reply.status == 201 else "")

    async def leave(self) -> Answer:
        if self._journey["stage"] in NOT_IN_LINE:
            return NOT_ASKED
        return answer_of(await self._program.post(f"{self.line.api}leave/"))


class ApiCounter:
    """Pays an order with play money (a `Counter`); `whose` are the names and the contact."""

    def __init__(self, order: str, whose: dict[str, Any], program: Program) -> None:
        self._url = f"{ORDERS}{order}/pay/"
        self._whose = whose
        self._program = program

    async def pay(self, outcome: str) -> Answer:
        return answer_of(await self._program.create(self._url, {**self._whose, "payment": {"outcome": outcome}}))


def answer_of(reply: Reply, *, order: str = "") -> Answer:
    """Read what became of what was asked: what is taken is a success."""
    return Answer.of(reply, is_taken=200 <= reply.status < 300, order=order)
