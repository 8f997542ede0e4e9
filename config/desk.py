"""The organiser's desk: django-unfold's colours, and what stands in its sidebar."""

from typing import Any

from django.templatetags.static import static
from django.urls import reverse_lazy
from django.utils.translation import gettext_lazy as _

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
                    {
                        "title": title,
                        "icon": icon,
                        "link": reverse_lazy(f"admin:{model}_changelist"),
                        "permission": "accounts.scoping.manages_any",
                    }
                    for title, icon, model in [
                        (_("Events"), "stadium", "events_event"),
                        (_("Queues"), "group", "queues_queue"),
                        (_("Venues"), "location_on", "events_venue"),
                    ]
                ],
            },
            {
                "title": _("Fans"),
                "items": [
                    {
                        "title": title,
                        "icon": icon,
                        "link": reverse_lazy(f"admin:{model}_changelist"),
                        "permission": "accounts.scoping.manages_any",
                    }
                    for title, icon, model in [
                        (_("In line"), "hourglass_top", "queues_admission"),
                        (_("Orders"), "receipt_long", "orders_order"),
                        (_("Tickets"), "confirmation_number", "orders_ticket"),
                    ]
                ],
            },
            {
                "title": _("For programs"),
                "items": [
                    {
                        "title": title,
                        "icon": icon,
                        "link": reverse_lazy(f"admin:{model}_changelist"),
                        "permission": "accounts.scoping.manages_any",
                    }
                    for title, icon, model in [
                        (_("Webhook endpoints"), "webhook", "webhooks_endpoint"),
                        (_("Facts"), "history", "webhooks_fact"),
                    ]
                ],
            },
            {
                "title": _("House"),
                "items": [
                    {
                        "title": _("Organizers"),
                        "icon": "apartment",
                        "link": reverse_lazy("admin:accounts_organizer_changelist"),
                        "permission": "accounts.scoping.manages_any",
                    },
                    {
                        "title": _("Audit log"),
                        "icon": "history",
                        "link": reverse_lazy("admin:admin_logentry_changelist"),
                        "permission": "accounts.scoping.manages_any",
                    },
                    *[
                        {
                            "title": title,
                            "icon": icon,
                            "link": reverse_lazy(f"admin:{model}_changelist"),
                            "permission": lambda request: request.user.is_superuser,
                        }
                        for title, icon, model in [
                            (_("Users"), "person", "accounts_user"),
                            (_("Second factors"), "passkey", "mfa_authenticator"),
                            (_("Identity checks"), "badge", "accounts_identitycheck"),
                            (_("Letters"), "mail", "accounts_letter"),
                        ]
                    ],
                ],
            },
        ],
    },
}
