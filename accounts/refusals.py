"""The base of every polite "no" in Fairline."""

from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise


class Refusal(Exception):  # noqa: N818 - it is an answer, not an error
    """Say that something asked for is not done, in a sentence for whoever asked.

    A subclass stands beside the function that raises it and gives its sentence as `message`; raising
    may give a more exact one. `facts` go to programs with the answer: `SoldOut(available=3)`. What a
    refusal looks like over HTTP is the business of `config/errors.py`.
    """

    message: "StrOrPromise" = _("This is not possible right now.")

    def __init__(self, message: "StrOrPromise | None" = None, **facts: Any) -> None:
        super().__init__(message, facts)
        if message is not None:
            self.message = message
        self.facts = facts

    def __str__(self) -> str:
        return str(self.message)


class RequestTooLarge(Refusal):
    message = _("What you have sent is too large. Please send less, or a smaller file.")


class RequestNotReadable(Refusal):
    message = _("This cannot be read. Please send one JSON object, with its texts as texts.")


class TooManyAttempts(Refusal):
    """`facts["retry_after"]` says in how many seconds to come back."""

    message = _("That was too often in a short time. Please wait a little and try again.")
