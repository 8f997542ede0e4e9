"""An event in the words of schema.org, for search engines."""

from __future__ import annotations

import json
from collections.abc import Sequence

from django.conf import settings
from django.utils.safestring import SafeString, mark_safe

from events.models import Event
from events.offers import Offer

# Inside a script element nothing may look like the end of it.
ESCAPES = {ord("<"): "\\u003C", ord(">"): "\\u003E", ord("&"): "\\u0026"}


def event_as_json(event: Event, offers: Sequence[Offer], *, url: str) -> SafeString:
    """Return the event as JSON-LD, safe inside a script element. The venue and the organizer come with the event."""
    status = "EventCancelled" if event.is_cancelled else "EventScheduled"
    described: dict[str, object] = {
        "@context": "https://schema.org",
        "@type": "Event",
        "name": event.name,
        "url": url,
        **({"description": event.description} if event.description else {}),
        **({"image": settings.SITE_URL + event.image.url} if event.image else {}),
        "startDate": event.starts_at.astimezone(event.zone).isoformat(),
        "doorTime": event.doors_at.astimezone(event.zone).isoformat(),
        "eventStatus": f"https://schema.org/{status}",
        "location": {"@type": "Place", "name": event.venue.name, "address": event.venue.city},
        "organizer": {"@type": "Organization", "name": event.organizer.name},
        "offers": [_offer(event, offer, url) for offer in offers],
    }
    return mark_safe(json.dumps(described).translate(ESCAPES))  # noqa: S308 - what could end the script is escaped


def _offer(event: Event, offer: Offer, url: str) -> dict[str, str]:
    stock = "SoldOut" if offer.is_gone else "InStock"
    return {
        "@type": "Offer",
        "name": offer.tier.name,
        "price": str(offer.price_with_fee),
        "priceCurrency": event.currency,
        "availability": f"https://schema.org/{stock}",
        "url": url,
    }
