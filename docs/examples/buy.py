"""Buy a ticket by Fairline's REST API, with nothing but Python: buy.py <address> <queue's short name> <e-mail>"""

import base64
import hashlib
import json
import sys
import time
from http.client import HTTPConnection, HTTPSConnection
from urllib.parse import urlsplit

SITE, QUEUE, EMAIL = urlsplit(sys.argv[1]), f"/api/v1/queues/{sys.argv[2]}/", sys.argv[3]
me: dict = {"Content-Type": "application/json"}  # sent with everything; our session's token comes along
kept: dict = {}  # answers with their ETags, so as to ask only whether they have changed


def ask(method: str, path: str, body: dict | None = None) -> dict:
    """Return what is answered; a refusal ends the script with its sentence."""
    head = {**me, "Idempotency-Key": str(time.time_ns()), **kept.get(path, [{}])[0]}
    while True:
        line = (HTTPSConnection if SITE.scheme == "https" else HTTPConnection)(SITE.netloc, timeout=30)
        line.request(method, path, json.dumps(body or {}) if method == "POST" else None, head)
        reply = line.getresponse()
        said = json.loads(reply.read() or "null")
        if reply.status in {429, 503}:
            time.sleep(int(reply.headers["Retry-After"]))  # too much at once: later again, with the same key
        elif reply.status >= 400:
            sys.exit(said.get("detail") or "\n".join(error["message"] for error in said["errors"]))
        else:
            kept[path] = kept[path] if reply.status == 304 else ({"If-None-Match": reply.headers["ETag"] or ""}, said)
            return kept[path][1]


def solve(puzzle: dict) -> str:
    """Find the number that makes the hash: a moment's work once, too much for those who come by the thousand."""
    tries = (hashlib.sha256(f"{puzzle['salt']}{n}".encode()).hexdigest() for n in range(puzzle["maxNumber"] + 1))
    number = next(n for n, digest in enumerate(tries) if digest == puzzle["challenge"])
    return base64.b64encode(json.dumps({**puzzle, "number": number}).encode()).decode()


account = {"name": EMAIL.partition("@")[0], "email": EMAIL, "password": input("Choose a password: ")}
me["X-Session-Token"] = ask("POST", "/_allauth/app/v1/auth/signup", account)["meta"]["session_token"]
link = input(f"Paste the link of the letter to you (the demo shows it at {SITE.geturl()}/mail/): ")
ask("POST", "/_allauth/app/v1/auth/email/verify", {"key": link.rstrip("/").rpartition("/")[2]})
missing = ask("POST", QUEUE + "ready/")["missing"]
if "identity_not_verified" in missing:
    input(f"Sign in at {SITE.geturl()}/account/identity/, show your document, and press Enter: ")
captcha = {"captcha": solve(ask("GET", QUEUE + "captcha/"))} if "captcha_required" in missing else {}
journey = ask("POST", QUEUE + "join/", captcha)
while journey["stage"] == "waiting":
    board = ask("GET", QUEUE + "board/")  # the same for everyone: however many read it, it costs the sale nothing
    time.sleep(board["near_seconds" if board["admitted_through"] + 100 >= journey["place"] else "far_seconds"])
    if board["admitted_through"] >= journey["place"] or board["phase"] in {"sold_out", "closed"}:
        journey = ask("GET", QUEUE + "journey/")
ask("POST", QUEUE + "claim/")
tier = max(ask("GET", QUEUE + "availability/")["tiers"], key=lambda tier: tier["available"])["tier"]
wanted = {"admittance_token": journey["admittance_token"], "lines": [{"tier": tier, "quantity": 1}]}
order = ask("POST", "/api/v1/orders/", wanted)
print(f"Held until {order['hold_ends_at']}: {tier}, {order['total']} {order['currency']}")
paid = ask("POST", f"/api/v1/orders/{order['code']}/pay/", {"payment": {"outcome": "confirm"}})
print(f"Order {order['code']} is {paid['status']}:", *(paid["order"]["tickets"] or [paid["redirect_url"]]))
