import json
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.core.serializers.json import DjangoJSONEncoder
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.decorators import display

from accounts.scoping import OrganizerScopedAdmin, ReadOnly
from webhooks.forms import EndpointForm
from webhooks.models import Endpoint, Fact


def _kept() -> str:
    days = settings.FACTS_KEPT_DAYS
    return ngettext("It is kept for %(days)d day.", "It is kept for %(days)d days.", days) % {"days": days}


@admin.register(Endpoint)
class EndpointAdmin(OrganizerScopedAdmin):
    form = EndpointForm
    list_display = ("url", "organizer", "wanted", "is_active")
    list_filter = ("is_active", "organizer")
    list_select_related = ("organizer",)
    search_fields = ("url",)
    ordering = ("organizer__name", "url")
    fields = ("what_happens", "organizer", "url", "types", "is_active")
    readonly_fields = ("what_happens",)

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        choices = self.choices_of(self.opts.get_field("organizer"), request)[:2]
        only = {"organizer": choices[0].pk} if len(choices) == 1 else {}
        return {**only, **super().get_changeform_initial_data(request)}

    @display(description=_("what happens"))
    def what_happens(self, endpoint: Endpoint) -> str:
        recorded = _t("As soon as you save, what you choose below is recorded under “Facts” whenever it happens.")
        unsent = _t("Nothing is sent to the address yet: this version records, and does not deliver.")
        return f"{recorded} {_kept()} {unsent}"

    @display(description=_("wants to know"))
    def wanted(self, endpoint: Endpoint) -> str:
        return ", ".join(endpoint.types)


@admin.register(Fact)
class FactAdmin(ReadOnly, OrganizerScopedAdmin):
    """What was recorded, as it was; nobody writes or changes it here."""

    list_display = ("type", "organizer", "admission", "happened_at")
    list_filter = ("type", "organizer")
    list_select_related = ("organizer",)
    ordering = ("-pk",)
    list_per_page = 50
    show_full_result_count = False
    fields = ("organizer", ("type", "happened_at"), "admission", "told")
    readonly_fields = ("told",)

    @display(description=_("what is told"))
    def told(self, fact: Fact) -> str:
        return format_html("<pre>{}</pre>", json.dumps(fact.body(), cls=DjangoJSONEncoder, indent=2))
