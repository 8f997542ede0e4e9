import zoneinfo
from datetime import datetime

from django import template
from django.utils import formats, timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

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
    local = timezone.localtime(instant, zone)
    return f"{formats.date_format(local, 'D, M j, g:i A')} {zone_in(instant, zone)}"


@register.filter
def moment_in(instant: datetime, zone: zoneinfo.ZoneInfo) -> SafeString:
    """As `instant_in`, for a page: static/js/zone.js adds the visitor's own time where it is another one."""
    return format_html(
        '<time datetime="{}" data-zone="{}" data-own="{}">{}</time>',
        instant.isoformat(),
        zone.key,
        _("{time} your time"),
        instant_in(instant, zone),
    )


@register.filter
def seconds_until(instant: datetime, now: datetime) -> int:
    """Whole seconds left until an instant; 0 once it has passed."""
    return max(0, int((instant - now).total_seconds()))


@register.filter
def zone_in(instant: datetime, zone: zoneinfo.ZoneInfo) -> str:
    """The short name of the event's zone at an instant: EST in winter, EDT in summer."""
    # Not by Django's format "T": that leaves the name out in the very hour that comes twice when summer time ends.
    return timezone.localtime(instant, zone).tzname() or ""
