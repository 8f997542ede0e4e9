"""An event as a calendar entry (RFC 5545)."""

from datetime import datetime, timedelta

from django.utils.translation import gettext as _
from icalendar import Calendar
from icalendar import Event as Entry

from events.models import Event

# An entry needs an end; a show's is not known, and calendars draw three hours well.
SHOWN_LENGTH = timedelta(hours=3)


def entry_for(event: Event, *, url: str, now: datetime) -> bytes:
    """Return the iCalendar file of an event.

    The uid stays the same for an event, so that a newer file replaces the entry.
    """
    entry = Entry()
    entry.add("uid", f"event-{event.slug}@fairline")
    entry.add("dtstamp", now)
    entry.add("dtstart", event.starts_at)
    entry.add("dtend", event.starts_at + SHOWN_LENGTH)
    entry.add("summary", event.name)
    entry.add("location", str(event.venue))
    entry.add("description", _("Doors: %(doors)s") % {"doors": f"{event.doors_at.astimezone(event.zone):%H:%M}"})
    entry.add("url", url)
    if event.is_cancelled:
        entry.add("status", "CANCELLED")
    calendar = Calendar()
    calendar.add("prodid", "-//Fairline//EN")
    calendar.add("version", "2.0")
    calendar.add_component(entry)
    return calendar.to_ical()
