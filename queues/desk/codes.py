"""The organiser's desk of access codes: a part of the queue's page in the admin."""

import csv
from functools import partial
from typing import Any, ClassVar

from django import forms
from django.contrib import messages
from django.contrib.admin.utils import unquote
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.admin import TabularInline
from unfold.decorators import action

from accounts.refusals import Refusal
from accounts.scoping import OrganizerScope
from events.admin import PLACE_TIMES, SaleAdmin, ask
from queues import services
from queues.conditions import AccessCode
from queues.forms import AccessCodeForm, AccessCodeFormSet, CheckCodeForm, MakeCodesForm
from queues.models import Queue
from queues.refusals import MaxUsesBelowUsed
from queues.services import CodeState


class AccessCodeInline(OrganizerScope, TabularInline):
    """The queue's codes. One that should no longer work is made inactive, so that its uses stay."""

    model = AccessCode
    form = AccessCodeForm
    formset = AccessCodeFormSet
    formfield_overrides = PLACE_TIMES
    extra = 0
    per_page = 20
    can_delete = False
    ordering = ("pk",)
    fields = ("code", "max_uses", "use_count", "description", "is_active", "valid_from", "valid_until")
    readonly_fields = ("use_count",)


class AccessCodesDesk(SaleAdmin):
    """The queue's codes: written beside it, made in bulk, checked and downloaded."""

    inlines = (AccessCodeInline,)
    about_codes = ("make_codes", "check_code", "download_codes")
    late_refusals: ClassVar[tuple[type[Refusal], ...]] = (MaxUsesBelowUsed,)

    def offered_actions(self, row: Queue) -> set[str]:
        return super().offered_actions(row) | (set(self.about_codes) if row.require_access_code else set())

    @action(
        description=_("Make codes"),
        permissions=["desk"],
        dialog=ask(_("Make access codes"), "", _("Make them"), MakeCodesForm),
    )
    def make_codes(self, request: HttpRequest, form: MakeCodesForm, object_id: str) -> HttpResponse:
        asked = form.new_codes()
        done = ngettext("%(count)d code made.", "%(count)d codes made.", asked["count"]) % {"count": asked["count"]}
        make = partial(services.make_access_codes, **asked)
        return self.carry_out(request, object_id, make, done=done)

    @action(
        description=_("Check a code"),
        permissions=["desk"],
        dialog=ask(
            _("Why does a code not work?"), _("Fans are never told the reason; you are."), _("Check"), CheckCodeForm
        ),
    )
    def check_code(self, request: HttpRequest, form: CheckCodeForm, object_id: str) -> HttpResponse:
        queue = self.get_object(request, unquote(object_id))
        if queue is None:
            raise Http404
        state, found = services.explain_code(queue, form.cleaned_data["code"])
        said = f"{form.cleaned_data['code']}: {state.label}"
        if found is not None:
            facts = {"used": found.use_count, "most": found.max_uses}
            said = f"{said} {_t('Used by %(used)d of %(most)d fans.') % facts}"
        self.log_change(request, queue, _t("Code checked: %(said)s") % {"said": said})
        self.message_user(request, said, messages.SUCCESS if state == CodeState.WORKS else messages.WARNING)
        return self.back_to(request, queue)

    @action(description=_("Download codes"), permissions=["desk"])
    def download_codes(self, request: HttpRequest, object_id: str) -> HttpResponse:
        queue = self.get_object(request, unquote(object_id))
        if queue is None:
            raise Http404
        self.log_change(request, queue, _t("Codes downloaded."))
        response = HttpResponse(content_type="text/csv; charset=utf-8")
        response["Content-Disposition"] = f'attachment; filename="codes-{queue.slug}.csv"'
        rows = csv.writer(response)
        rows.writerow(["code", "max_uses", "use_count", "is_active", "valid_from", "valid_until", "description"])
        for code in AccessCode.objects.filter(queue=queue).in_order().iterator():
            rows.writerow(_csv_row(code))
        return response

    def save_formset(self, request: HttpRequest, form: forms.ModelForm, formset: Any, change: bool) -> None:
        formset.save(commit=False)
        for code, changed in formset.changed_objects:
            code.save(update_fields=[name for name in changed if name != "max_uses"])
            if "max_uses" in changed:
                services.change_max_uses(code, code.max_uses)
        for code in formset.new_objects:
            code.save()


def _csv_row(code: AccessCode) -> list[Any]:
    times = [instant.isoformat() if instant else "" for instant in (code.valid_from, code.valid_until)]
    # A spreadsheet would take such a description for a formula.
    description = f"'{code.description}" if code.description.startswith(("=", "+", "-", "@")) else code.description
    return [code.code, code.max_uses, code.use_count, code.is_active, *times, description]
