"""The audit log as staff read it: who did what, when, and what it was before."""

from __future__ import annotations

from typing import Any

from django.contrib.admin import SimpleListFilter
from django.contrib.admin.models import DELETION, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from accounts.models import User
from accounts.scoping import OrganizerScopedAdmin, ReadOnly


class PersonFilter(SimpleListFilter):
    """Whoever has done something that the reader may know of."""

    title = _("person")
    parameter_name = "person"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[Any, str]]:
        people = User.objects.filter(pk__in=model_admin.get_queryset(request).values("user"))
        return [(person.pk, person.email) for person in people.order_by("email")]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        return queryset.filter(user__in=_pks(self.value())) if self.value() else queryset


class KindFilter(SimpleListFilter):
    title = _("kind")
    parameter_name = "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[Any, str]]:
        kinds = ContentType.objects.filter(pk__in=model_admin.get_queryset(request).values("content_type"))
        return sorted(((kind.pk, kind.name) for kind in kinds), key=lambda choice: choice[1])

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        return queryset.filter(content_type__in=_pks(self.value())) if self.value() else queryset


class ObjectFilter(SimpleListFilter):
    """One row's acts; asked for by the link beside each, and shown only then."""

    title = _("object")
    parameter_name = "object"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[Any, str]]:
        if not self.value():
            return []
        found = self.queryset(request, model_admin.get_queryset(request)).first()
        return [(self.value(), found.object_repr if found else _t("unknown"))]

    def has_output(self) -> bool:
        return bool(self.value())

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        kind, _dash, pk = (self.value() or "").partition("-")
        return queryset.filter(content_type__in=_pks(kind), object_id=pk) if pk else queryset


def _pks(typed: str | None) -> list[int]:
    return [int(typed)] if typed and typed.isdecimal() and len(typed) < 10 else []


class AuditLogAdmin(ReadOnly, OrganizerScopedAdmin):
    """Nobody writes here by hand, changes an entry, or takes one away."""

    organizer_path = "act__organizer"
    list_display = ("when", "who", "what", "said")
    list_filter = (PersonFilter, KindFilter, ObjectFilter)
    list_select_related = ("user", "content_type")
    list_per_page = 50
    date_hierarchy = "action_time"
    search_fields = ("object_repr", "change_message", "user__email", "user__name")
    search_help_text = _("Search by person, object, or what was done")
    ordering = ("-action_time", "-pk")
    fields = readonly_fields = ("when", "who", "what", "said")
    show_full_result_count = False

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        return super().changelist_view(request, {**(extra_context or {}), "title": _("Audit log")})

    @display(description=_("when"), ordering="action_time")
    def when(self, entry: LogEntry) -> str:
        return f"{entry.action_time:%Y-%m-%d %H:%M:%S} UTC"

    @display(description=_("who"), ordering="user__email")
    def who(self, entry: LogEntry) -> str:
        return entry.user.email

    @display(description=_("object"), ordering="object_repr")
    def what(self, entry: LogEntry) -> str:
        address = reverse("admin:admin_logentry_changelist")
        query = f"object={entry.content_type_id}-{entry.object_id}"
        kind = entry.content_type.name if entry.content_type else ""
        return format_html(
            '{}<br><a class="text-primary-600 dark:text-primary-500" href="{}?{}">{}</a>',
            kind,
            address,
            query,
            entry.object_repr,
        )

    @display(description=_("act"))
    def said(self, entry: LogEntry) -> str:
        if entry.action_flag == DELETION:
            return _t("Deleted.")
        return entry.get_change_message()
