"""Pages as a browser without scripts sees them."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

from django.test import Client


@dataclass
class Form:
    """A form of a page with what is filled in; the action is empty where it goes to the page's own address."""

    action: str
    method: str
    fields: dict[str, str] = field(default_factory=dict)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if tag == "form":
            self.forms.append(Form(found.get("action") or "", (found.get("method") or "get").lower()))
        name = found.get("name")
        if tag == "input" and name and self.forms and _is_sent(found):
            self.forms[-1].fields[name] = found.get("value") or ("on" if "checked" in found else "")


def _is_sent(found: dict[str, str | None]) -> bool:
    """Whether a browser sends this field along: a box only when it is ticked."""
    return found.get("type") != "submit" and (found.get("type") not in {"checkbox", "radio"} or "checked" in found)


def forms(response: Any) -> list[Form]:
    reader = _Reader()
    reader.feed(response.content.decode())
    return reader.forms


def form_to(response: Any, action: str) -> Form:
    """Return the page's one form that goes to an address."""
    found = [form for form in forms(response) if form.action == action]
    assert len(found) == 1, f"{len(found)} forms to {action}: {[form.action for form in forms(response)]}"
    return found[0]


def submit(client: Client, form: Form, *, to: str = "", **typed: str) -> Any:
    """Send a form as a browser does, with something typed; follows where it leads."""
    assert form.method == "post"
    return client.post(form.action or to, {**form.fields, **typed}, follow=True)
