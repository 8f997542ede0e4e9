"""What the API takes and answers about the line, orders and tickets, as its description shows it."""

TICKET_ID = "3d0c4b1e-6a57-4c3e-9a0c-5b0f2d9c8e11"

ENTRY = {"access_code": "SPRING24"}
READINESS = {"ready": False, "missing": ["captcha_required"]}
JOURNEY = {
    "stage": "waiting",
    "phase": "open",
    "place": 12480,
    "position": 1521,
    "people_ahead": 1520,
    "estimated_wait_seconds": {"low": 760, "high": 950},
    "queue_size": 5120,
    "starts_at": "2026-05-04T10:00:00Z",
    "admittance_token": None,
    "admittance_expires_at": None,
    "order": None,
    "reason": "",
}
HOLD = {"admittance_token": "9141:1wJq5m:0rW8sPp1", "lines": [{"tier": "floor", "quantity": 2}]}
ORDER = {
    "code": "58VQ2JQE",
    "status": "held",
    "event": "fall-tour",
    "queue": "fall-tour-sale",
    "currency": "USD",
    "lines": [{"tier": "floor", "name": "Floor", "quantity": 2, "price": "150.00", "service_fee": "15.00"}],
    "subtotal": "300.00",
    "service_fee": "30.00",
    "total": "330.00",
    "hold_ends_at": "2026-05-04T10:47:12Z",
    "holders": [],
    "email": "ben@example.org",
    "created_at": "2026-05-04T10:37:12Z",
    "paid_at": None,
    "tickets": [],
}
PAY = {"holders": ["Ben Buyer", "Kim Buyer"], "payment": {"outcome": "confirm"}}
PAID = {
    "status": "paid",
    "redirect_url": None,
    "order": {
        **ORDER,
        "status": "paid",
        "holders": ["Ben Buyer", "Kim Buyer"],
        "paid_at": "2026-05-04T10:38:40Z",
        "tickets": [TICKET_ID, "c7f1c0a8-0a5d-4f53-8e43-6d1f6f0e2b52"],
    },
}
TICKET = {
    "id": TICKET_ID,
    "order": "58VQ2JQE",
    "event": "fall-tour",
    "tier": "floor",
    "holder_name": "Ben Buyer",
    "status": "valid",
    "released_at": "2026-09-28T10:00:00Z",
    "code": None,
}
