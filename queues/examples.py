"""What the API answers about events and queues, as its description shows it."""

from typing import Any

CARD: dict[str, Any] = {
    "slug": "fall-tour",
    "name": "Fall Tour",
    "starts_at": "2026-10-02T00:00:00Z",
    "doors_at": "2026-10-01T23:00:00Z",
    "time_zone": "America/New_York",
    "venue": {"name": "Assembly Hall", "city": "Chicago, IL"},
    "sale_phase": "general",
    "currency": "USD",
    "lowest_price": "165.00",
    "image": None,
    "url": "https://tickets.example.com/events/fall-tour/",
}
OFFER = {
    "tier": "floor",
    "name": "Floor",
    "description": "Standing, in front of the stage.",
    "perks": ["Early entry"],
    "price": "150.00",
    "service_fee": "15.00",
    "price_with_fee": "165.00",
    "release_at": None,
    "available": 212,
    "level": "some",
}
SALE = {
    "slug": "fall-tour-sale",
    "name": "General sale",
    "kind": "general",
    "phase": "open",
    "starts_at": "2026-05-04T10:00:00Z",
    "ends_at": None,
}
EVENT = {
    **CARD,
    "organizer": "Ada Concerts",
    "description": "Two hours, without an interval.",
    "is_cancelled": False,
    "max_tickets_per_order": 4,
    "max_orders_per_customer": 1,
    "require_identification": False,
    "tickets_non_transferable": True,
    "require_buyer_attendance": False,
    "tickets_released_at": "2026-09-28T10:00:00Z",
    "tiers": [OFFER],
    "queues": [SALE],
}
QUEUE = {
    **SALE,
    "event": "fall-tour",
    "message": "",
    "tiers": ["floor", "vip"],
    "max_tickets_per_order": 4,
    "requires": {
        "account": True,
        "verified_email": True,
        "verified_identity": False,
        "access_code": False,
        "card": False,
        "invitation": False,
        "captcha": True,
    },
    "cards": [],
}
BOARD = {
    "as_of": "2026-05-04T10:07:31Z",
    "phase": "open",
    "opens_at": "2026-05-04T10:00:00Z",
    "closes_at": None,
    "waiting": 5120,
    "admitted": 480,
    "admitted_through": 10932,
    "places_given": 16204,
    "marks": [[10933, 0], [12000, 1041], [16204, 5119]],
    "rate": {"low": 96.0, "high": 120.0},
    "held_up_by": "",
    "tiers": [{"tier": "floor", "level": "some"}],
    "message": "",
    "near_seconds": 2.0,
    "far_seconds": 20.0,
}
CHALLENGE = {
    "algorithm": "SHA-256",
    "challenge": "7f4c1a1e1c0b8d6f8f6d0b3f7a2c5e9d4b8a6c3e1f0d9b7a5c3e1f0d9b7a5c3e",
    "maxNumber": 50000,
    "salt": "c1b7f2d09e?expires=1777889251",
    "signature": "1d9b7a5c3e1f0d9b7f4c1a1e1c0b8d6f8f6d0b3f7a2c5e9d4b8a6c3e1f0d9b7a",
}
