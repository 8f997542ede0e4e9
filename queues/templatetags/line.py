import json

from django import template
from django.utils.formats import number_format
from django.utils.translation import gettext, ngettext

from queues.journey import WaitRange

register = template.Library()

MINUTE, HOUR = 60, 3600
EN_DASH = "\u2013"


@register.filter
def as_words(wait: WaitRange) -> str:
    """Write a wait as the line page does: whole minutes, from two hours on whole hours, always a range."""
    if wait.high is None:
        return gettext("Not known yet")
    if wait.high < MINUTE:
        return gettext("Less than a minute")
    if wait.high >= 2 * HOUR:
        low, high = wait.low // HOUR, -(-wait.high // HOUR)
        return ngettext("%(range)s hour", "%(range)s hours", _number_of(low, high)) % {"range": _range(low, high)}
    low, high = wait.low // MINUTE, -(-wait.high // MINUTE)
    return ngettext("%(range)s minute", "%(range)s minutes", _number_of(low, high)) % {"range": _range(low, high)}


@register.filter
def minutes(seconds: int) -> str:
    """Write a span of seconds in minutes, for a sentence: `10 minutes`."""
    whole = max(1, round(seconds / MINUTE))
    return ngettext("%(count)s minute", "%(count)s minutes", whole) % {"count": number_format(whole)}


@register.filter
def as_span(seconds: int) -> str:
    """Write a span for a sentence, in seconds where that is shorter than two minutes: `45 seconds`."""
    if seconds >= 2 * MINUTE:
        return minutes(seconds)
    return ngettext("%(count)s second", "%(count)s seconds", seconds) % {"count": number_format(seconds)}


def _number_of(low: int, high: int) -> int:
    """The number that decides between one and many: a range is many, even 0–1."""
    return high if low == high else max(2, high)


def _range(low: int, high: int) -> str:
    return number_format(high) if low == high else f"{number_format(low)}{EN_DASH}{number_format(high)}"


@register.simple_tag
def captcha_words() -> str:
    """Return what ALTCHA's widget says, for its attribute `strings`."""
    return json.dumps(
        {
            "label": gettext("I am a person"),
            "verifying": gettext("Working it out…"),
            "verified": gettext("Done: welcome"),
            "error": gettext("That did not work. Please tick the box to try once more."),
            "expired": gettext("That was too long ago. Please tick the box to try once more."),
            "waitAlert": "",
        }
    )
