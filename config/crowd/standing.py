"""One fan in one line: from the form that joins it to the page of the turn."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from random import Random

from config.crowd.browser import Browser, Form, Page
from config.crowd.sale import Line
from config.crowd.tally import Join, Tally
from queues import captcha

OVER = {"closed", "sold_out"}
# After a refusal because too much is going on, a fan tries again, some times.
TRIES = 5
UNKNOWN = {"phase": "unknown"}


class Standing:
    """Stands in a line for a fan; `read_board` may be shared by fans who look over each other's shoulders."""

    def __init__(
        self,
        line: Line,
        browser: Browser,
        tally: Tally,
        *,
        email: str,
        rng: Random,
        read_board: Callable[[], Awaitable[dict]] | None = None,
    ) -> None:
        self.line = line
        self.browser = browser
        self.tally = tally
        self.email = email
        self.rng = rng
        self.read_board = read_board or self.read_own_board
        self.join_form: Form | None = None

    async def read_own_board(self) -> dict:
        page = await self.browser.get(self.line.board)
        if page.status != 200:
            return UNKNOWN
        self.tally.seconds["board"].append(page.answered - page.sent)
        return dict(json.loads(page.text))

    def filled(self, form: Form) -> dict[str, str]:
        """Return what a fan types into the form at the door: the code, where one is asked for."""
        return {"code": self.line.code} if "code" in form.fields else {}

    async def get_ready(self, page: Page) -> bool:
        """Show ahead of the opening what the queue asks for; returns whether it was taken."""
        form = await self.solve_captcha(page, page.form("/ready/") or self.unseen_form(page, "ready"))
        return (await self.browser.send(form, **self.filled(form))).leads_on

    async def solve_captcha(self, page: Page, form: Form) -> Form:
        """Return the form with the sum worked out, where the page asks for one; of what a browser does by itself."""
        if page.challenge is None:
            return form
        answer = await self.browser.get(page.challenge)
        solution = await asyncio.to_thread(captcha.solve, json.loads(answer.text))
        return Form(form.action, {**form.fields, "captcha": solution})

    async def join_too_soon(self, page: Page) -> bool:
        """Send the form that the page will have; returns whether it was refused for that."""
        return (await self.browser.send(self.unseen_form(page, "join"))).refusal == "queue_not_open"

    def unseen_form(self, page: Page, name: str) -> Form:
        """Return a form that the page does not show, with the token that every form of the page has."""
        token = next((form.fields["csrfmiddlewaretoken"] for form in page.forms if form.fields), "")
        return Form(f"{self.line.page}{name}/", {"csrfmiddlewaretoken": token})

    async def join(self, *, tabs: int = 1) -> int:
        """Join the line from so many tabs at once; returns how many were told that the fan stands in it."""
        for _ in range(TRIES):
            page = await self.browser.open(self.line.page)
            form = page.form("/join/")
            if form is None:
                return 0
            form = await self.solve_captcha(page, form)
            self.join_form = form
            typed = self.filled(form)
            answers = await asyncio.gather(*(self.browser.send(form, **typed) for _ in range(tabs)))
            taken = [answer for answer in answers if answer.leads_on]
            for answer in taken:
                self.tally.joins.append(Join(self.email, self.line.slug, answer.sent, answer.answered))
                self.tally.seconds["join"].append(answer.answered - answer.sent)
            if taken:
                return len(taken)
            if not {answer.refusal for answer in answers} & {"queue_not_open", "busy"}:
                return 0
            await asyncio.sleep(self.rng.uniform(0.2, 0.8))
        return 0

    async def join_again(self) -> None:
        """Send the join form that another tab still shows."""
        if self.join_form is not None:
            await self.browser.send(self.join_form, **self.filled(self.join_form))

    async def wait(self, *, looks: int | None = None) -> Page:
        """Follow the board until the turn comes or the sale is over, or for so many looks; returns the page then."""
        page = await self.browser.open(self.line.page)
        looked = 0
        while (place := page.place) is not None and looked != looks:
            board = await self.read_board()
            looked += 1
            if board["phase"] == "unknown":
                await asyncio.sleep(2)
            elif board["admitted_through"] >= place or board["phase"] in OVER:
                page = await self.browser.open(self.line.page)
            else:
                await asyncio.sleep(poll_pause(board, place, self.rng))
        return page

    async def leave(self, page: Page) -> bool:
        """Give the place up by the form on this page; returns whether that was taken."""
        form = page.form("/leave/")
        return form is not None and (await self.browser.send(form)).leads_on


def poll_pause(board: dict, place: int, rng: Random) -> float:
    """Return the seconds until the board is asked again, by its own advice: near the door often, far back rarely."""
    ahead = sum(mark[0] < place for mark in board["marks"])
    ahead = max((mark[1] for mark in board["marks"][:ahead]), default=0)
    share = min(1.0, ahead / board["waiting"]) if board["waiting"] else 0.0
    advised: float = board["near_seconds"] + share * (board["far_seconds"] - board["near_seconds"])
    return advised * rng.uniform(0.9, 1.1)
