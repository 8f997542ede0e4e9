"""The organiser's desk: django-unfold's colours, and what stands in its sidebar."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse_lazy
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from django_stubs_ext import StrPromise

# A dotted path, or what tells by the request.
Permission = str | Callable[[HttpRequest], bool]

MANAGES = "accounts.scoping.manages_any"


def is_platform(request: HttpRequest) -> bool:
    return bool(request.user.is_superuser)


def entry(title: StrPromise, icon: str, model: str, permission: Permission = MANAGES) -> dict[str, Any]:
    """Return a line of the sidebar: the list of a model, for whoever has the permission."""
    link = reverse_lazy(f"admin:{model}_changelist")
    return {"title": title, "icon": icon, "link": link, "permission": permission}


UNFOLD: dict[str, Any] = {
    "SITE_TITLE": "Fairline",
    "SITE_HEADER": "Fairline",
    "SITE_URL": "/",
    "SHOW_HISTORY": True,
    "STYLES": [lambda request: static("css/admin.css")],
    # The amber and the warm greys of static/css/fairline.css.
    "COLORS": {
        "base": {
            "50": "#faf6f0",
            "100": "#f2eadf",
            "200": "#e2d7c8",
            "300": "#cfc1af",
            "400": "#b9aca0",
            "500": "#746759",
            "600": "#62564a",
            "700": "#4a4038",
            "800": "#2c2520",
            "900": "#201a16",
            "950": "#15110e",
        },
        "primary": {
            "50": "#fef8ec",
            "100": "#fdecc9",
            "200": "#fbdc9c",
            "300": "#f8c76c",
            "400": "#f5b04a",
            "500": "#d98a1c",
            "600": "#8a4b00",
            "700": "#733f00",
            "800": "#5c3300",
            "900": "#3a2a14",
            "950": "#1d1306",
        },
    },
    "SIDEBAR": {
        "show_search": False,
        "navigation": [
            {
                "title": _("On sale"),
                "items": [
                    entry(_("Events"), "stadium", "events_event"),
                    entry(_("Queues"), "group", "queues_queue"),
                    entry(_("Venues"), "location_on", "events_venue"),
                ],
            },
            {
                "title": _("Fans"),
                "items": [
                    entry(_("In line"), "hourglass_top", "queues_admission"),
                    entry(_("Orders"), "receipt_long", "orders_order"),
                    entry(_("Tickets"), "confirmation_number", "orders_ticket"),
                ],
            },
            {
                "title": _("For programs"),
                "items": [
                    entry(_("Webhook endpoints"), "webhook", "webhooks_endpoint"),
                    entry(_("Facts"), "history", "webhooks_fact"),
                ],
            },
            {
                "title": _("House"),
                "items": [
                    entry(_("Organizers"), "apartment", "accounts_organizer"),
                    entry(_("Audit log"), "history", "admin_logentry"),
                    entry(_("Users"), "person", "accounts_user", is_platform),
                    entry(_("Second factors"), "passkey", "mfa_authenticator", is_platform),
                    entry(_("Identity checks"), "badge", "accounts_identitycheck", is_platform),
                    entry(_("Letters"), "mail", "accounts_letter", is_platform),
                ],
            },
        ],
    },
}
