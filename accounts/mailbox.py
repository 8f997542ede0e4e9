"""The way out for mail: a letter is a row, written with the fact that it tells of."""

import logging
import uuid
from collections.abc import Iterable, Mapping
from email.utils import make_msgid, parseaddr
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db.models import Q
from django.db.models.functions import Now
from django.template import Context, Engine

from accounts.models import Letter

log = logging.getLogger(__name__)


def post(*, to: str, template: str, context: Mapping[str, Any], kind: str) -> Letter:
    """Write a letter to `to` in the caller's transaction; the sweep sends it once that has committed.

    It is rendered now, so that it says what was true when it was posted, from three templates under
    `templates/mail/`: `<template>.subject.txt`, `<template>.txt` and `<template>.html`. Raises ValidationError, and
    posts nothing, when `to` is not an e-mail address. `kind` is one of `Letter.Kind` and decides what goes first.
    """
    letter = _compose(to=to, template=template, context=context, kind=kind)
    letter.save(force_insert=True)
    return letter


def post_to_each(
    recipients: Iterable[tuple[str, Mapping[str, Any]]],
    *,
    template: str,
    context: Mapping[str, Any],
    kind: str,
    mailing: uuid.UUID | None = None,
) -> int:
    """Write a letter to each of many, as `post` does, in one statement; returns how many.

    A recipient is an address, and what `context` is completed with for this letter alone. An address that cannot be
    one is logged and left out: it must not keep the letter from all the others. `mailing` finds them again, in
    `Letter.objects.of_mailing` and in `withdraw`.
    """
    letters = []
    for to, own in recipients:
        try:
            letter = _compose(to=to, template=template, context={**context, **own}, kind=kind)
        except ValidationError:
            log.warning("No letter about %s: %r is not an address", template, to)
        else:
            letter.mailing = mailing
            letters.append(letter)
    return len(Letter.objects.bulk_create(letters))


def withdraw(mailing: uuid.UUID) -> int:
    """Keep back the letters of a mailing that nobody is sending yet; returns how many. The others have gone."""
    waiting = Letter.objects.of_mailing(mailing).filter(status=Letter.Status.QUEUED)
    untouched = waiting.filter(Q(leased_until=None) | Q(leased_until__lte=Now()))
    return untouched.update(status=Letter.Status.WITHDRAWN, leased_until=None)


def _compose(*, to: str, template: str, context: Mapping[str, Any], kind: str) -> Letter:
    validate_email(to)
    facts = {**context, "site_url": settings.SITE_URL}
    return Letter(
        to=to,
        subject=_as_one_line(_render(f"{template}.subject.txt", Context(facts, autoescape=False))),
        text=_render(f"{template}.txt", Context(facts, autoescape=False)),
        html=_render(f"{template}.html", Context(facts)),
        kind=kind,
        message_id=new_message_id(),
    )


def new_message_id() -> str:
    """Return a Message-ID that no other letter has, under the domain that our mail comes from."""
    address = parseaddr(settings.DEFAULT_FROM_EMAIL)[1]
    return make_msgid(domain=address.rpartition("@")[2])


def _render(name: str, context: Context) -> str:
    return str(Engine.get_default().get_template(f"mail/{name}").render(context)).strip()


def _as_one_line(subject: str) -> str:
    # A line break in a subject would begin a header of somebody else's choosing.
    return " ".join(subject.split())[: Letter.SUBJECT_LENGTH]
