"""The way in by the pages: what a fan sees is read from their HTML, what a fan does is a form of theirs."""

from __future__ import annotations

import asyncio

from config.crowd.browser import Browser, Form, Page
from config.crowd.document import photo_of_document
from config.crowd.sale import Line, Sale
from config.crowd.way import NOT_ASKED, PASSWORD, Answer, ReadLetter, Sight, WayBlockedError
from config.crowd.wire import Reply
from queues import captcha


class Pages:
    """Reaches the site by its pages (a `Way`)."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        # Of the orders that were looked at: the forms with names and contact.
        self._forms: dict[str, Form] = {}

    async def sign_up(self, name: str, email: str, read_letter: ReadLetter) -> None:
        form = expect(await self._browser.open("/account/signup/"), "/account/signup/")
        answer = await self._browser.send(form, name=name, email=email, password1=PASSWORD)
        await self._browser.follow(answer)
        page = await self._browser.open(await read_letter(email))
        await self._browser.follow(await self._browser.send(expect(page, "/confirm-email/")))
        await verify_identity(self._browser, name)

    async def look_at_event(self, sale: Sale) -> None:
        await self._browser.open(sale.event_page)

    async def read_stock(self, sale: Sale) -> dict[str, int]:
        return stock_in(await self._browser.get(sale.availability))

    def door(self, line: Line) -> PagesDoor:
        return PagesDoor(line, self._browser)

    async def is_payable(self, order: str) -> bool:
        form = (await self._browser.open(order)).form("/pay/")
        if form is None:
            return False
        self._forms[order] = form
        return True

    async def open_payment(self, order: str, *, name: str, email: str) -> ProviderPage | None:
        form = self._forms[order]
        names = {field: f"{name} {field[-1]}" for field in form.fields if field.startswith("holder-")}
        answer = await self._browser.send(form, **names, email=email, terms="on")
        return provider_page(await self._browser.follow(answer), self._browser)

    async def go_to_provider(self, order: str, *, name: str, email: str) -> ProviderPage | None:
        return await self.open_payment(order, name=name, email=email)

    async def give_back(self, order: str) -> None:
        form = (await self._browser.open(order)).form("/give-back/")
        if form is not None:
            await self._browser.send(form)

    async def look_at_tickets(self) -> None:
        await self._browser.open("/tickets/")


class PagesDoor:
    """One line, by the page that shows the fan's stage (a `Door`)."""

    def __init__(self, line: Line, browser: Browser) -> None:
        self.line = line
        self._browser = browser
        self._page = Page(line.page, 0, "", {}, 0, 0)
        # Filled in; another tab may show it for long after the page has changed.
        self._form: Form | None = None

    async def look(self) -> Sight:
        self._page = page = await self._browser.open(self.line.page)
        can_join = page.form("/join/") is not None
        return Sight(
            can_join=can_join,
            can_show_code=can_join or page.form("/ready/") is not None,
            place=page.place,
            has_turn=page.form("/hold/") is not None,
        )

    async def read_board(self) -> Reply:
        return await self._browser.get(self.line.board)

    async def fill_in(self) -> None:
        """Do what a person types and what a browser works out by itself, where the page asks for it."""
        form = self._page.form("/ready/") or self._page.form("/join/") or self._bare_form()
        fields = {**form.fields}
        if "code" in fields:
            fields["code"] = self.line.code
        if self._page.challenge is not None:
            reply = await self._browser.get(self._page.challenge)
            fields["captcha"] = await asyncio.to_thread(captcha.solve, reply.json)
        self._form = Form(form.action, fields)

    async def get_ready(self) -> Answer:
        return await self._send("/ready/", self._form or self._bare_form())

    async def show_code(self, code: str) -> Answer:
        form = self._page.form("/ready/") or self._page.form("/join/")
        return answer_of(await self._browser.send(form, code=code)) if form else NOT_ASKED

    async def join(self) -> Answer:
        return await self._send("/join/", self._form or self._bare_form())

    async def show_up(self) -> None:
        claim = self._page.form("/claim/")
        if claim is not None:
            await self._browser.send(claim)

    async def hold(self, tier: str, number: int) -> Answer:
        form = self._page.form("/hold/")
        if form is None:
            return NOT_ASKED
        page = await self._browser.send(form, **{f"tier-{tier}": str(number)})
        is_held = page.leads_on and "/orders/" in page.location
        return Answer.of(page, is_taken=is_held, order=page.location if is_held else "")

    async def leave(self) -> Answer:
        form = self._page.form("/leave/")
        return answer_of(await self._browser.send(form)) if form else NOT_ASKED

    async def _send(self, part: str, form: Form) -> Answer:
        return answer_of(await self._browser.send(Form(f"{self.line.page.rstrip('/')}{part}", form.fields)))

    def _bare_form(self) -> Form:
        """Return a form that the page does not show, with the token that every form of the page has."""
        token = next((form.fields["csrfmiddlewaretoken"] for form in self._page.forms if form.fields), "")
        return Form(self.line.page, {"csrfmiddlewaretoken": token})


class ProviderPage:
    """The form of the provider of play money (a `Counter`)."""

    def __init__(self, form: Form, browser: Browser) -> None:
        self._form = form
        self._browser = browser

    async def pay(self, outcome: str) -> Answer:
        """Pay, and come back as the provider sends one back."""
        page = await self._browser.send(self._form, outcome=outcome)
        if not page.leads_on:
            return answer_of(page)
        back = await self._browser.get(page.location)
        await self._browser.follow(back)
        return answer_of(page, seconds=page.seconds + back.seconds)


def provider_page(page: Page, browser: Browser) -> ProviderPage | None:
    form = page.form("/payment/")
    return ProviderPage(form, browser) if form else None


async def verify_identity(browser: Browser, name: str) -> None:
    """Show a document on its page, which is the only way to."""
    form = expect(await browser.open("/account/identity/"), "/account/identity/")
    await browser.follow(await browser.send_with_photo(form, photo_of_document(), legal_name=name))


def answer_of(page: Page, *, seconds: float = 0) -> Answer:
    """Read what became of a form: what is taken leads on."""
    return Answer.of(page, is_taken=page.leads_on, seconds=seconds)


def stock_in(reply: Reply) -> dict[str, int]:
    tiers = reply.json["tiers"] if reply.status == 200 else []
    return {tier["tier"]: tier["available"] for tier in tiers}


def expect(page: Page, part: str) -> Form:
    """Return a form of the page; raises WayBlockedError when there is none that goes there."""
    form = page.form(part)
    if form is None:
        raise WayBlockedError(f'{page.url} ({page.status}, "{page.heading}") has no form to {part}')
    return form
