import zoneinfo
from datetime import datetime

from django import template
from django.utils import formats, timezone

register = template.Library()


@register.filter
def day_in(instant: datetime, zone: zoneinfo.ZoneInfo) -> str:
    """The date of an instant at the place of the event."""
    return formats.date_format(timezone.localtime(instant, zone), "l, F j, Y")


@register.filter
def time_in(instant: datetime, zone: zoneinfo.ZoneInfo) -> str:
    return formats.date_format(timezone.localtime(instant, zone), "g:i A")


@register.filter
def instant_in(instant: datetime, zone: zoneinfo.ZoneInfo) -> str:
    """Date and time of an instant at the place of the event, with the name of its zone."""
    return formats.date_format(timezone.localtime(instant, zone), "D, M j, g:i A T")
