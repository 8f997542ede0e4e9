"""The audit log: what staff do in the admin, with who, when, and the values before and after.

Entries are Django's own; an `Act` beside each says whose rows it is about.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, ClassVar

from django import forms
from django.contrib.admin.models import LogEntry
from django.contrib.admin.options import BaseModelAdmin
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.text import Truncator, capfirst
from django.utils.translation import gettext as _

from accounts.models import Act

# A value that is longer is cut; what was typed is not kept a second time.
SHOWN_LENGTH = 120
NOTHING = "–"


class Audited(BaseModelAdmin):
    """Write into the log what a form changed, from which value to which, and whose row it was.

    `organizer_path` is the lookup from a row to its organizer; without one, an entry is for superusers alone.
    """

    organizer_path: ClassVar[str] = ""

    def log_addition(self, request: HttpRequest, obj: Model, message: Any) -> LogEntry:
        return self._scoped(super().log_addition(request, obj, message), obj)  # type: ignore[misc]

    def log_change(self, request: HttpRequest, obj: Model, message: Any) -> LogEntry:
        return self._scoped(super().log_change(request, obj, message), obj)  # type: ignore[misc]

    def log_deletions(self, request: HttpRequest, queryset: Iterable[Model]) -> list[LogEntry]:
        rows = list(queryset)
        entries = super().log_deletions(request, rows)  # type: ignore[misc]
        return [self._scoped(entry, row) for entry, row in zip(entries, rows, strict=True)]

    def construct_change_message(self, request: HttpRequest, form: Any, formsets: Any, add: bool = False) -> Any:
        changed = [] if add else [*changes_of(form), *_changes_of_parts(formsets or [])]
        # Django's own words where nothing was changed, or everything is new.
        return "; ".join(changed) or super().construct_change_message(request, form, formsets, add)  # type: ignore[misc]

    def _scoped(self, entry: LogEntry, row: Model) -> LogEntry:
        """Note whose row the entry is about; the row itself may be gone when somebody asks."""
        if self.organizer_path:
            found = type(row)._default_manager.filter(pk=row.pk)  # noqa: SLF001 - Django's own name
            Act.objects.create(entry=entry, organizer_id=found.values_list(self.organizer_path, flat=True).get())
        return entry


def changes_of(form: forms.BaseForm) -> Iterator[str]:
    """Say of each field that was changed what it was and what it is; of a password only that it was changed."""
    for name in form.changed_data:
        field = form.fields.get(name)
        if field is None or isinstance(field.widget, forms.PasswordInput):
            yield _("%(field)s changed") % {"field": name if field is None else _label(form, name)}
            continue
        values = (form.get_initial_for_field(field, name), form.cleaned_data.get(name))
        before, after = (in_words(field, value) for value in values)
        # Written differently, it may still be the same.
        if before != after:
            yield f"{_label(form, name)}: {_cut(before)} → {_cut(after)}"


def _label(form: forms.BaseForm, name: str) -> str:
    return str(capfirst(form[name].label))


def _cut(words: str) -> str:
    return Truncator(words).chars(SHOWN_LENGTH)


def _changes_of_parts(formsets: Sequence[Any]) -> Iterator[str]:
    for formset in formsets:
        for form in formset.forms:
            yield from _changes_of_part(form, formset)


def _changes_of_part(form: Any, formset: Any) -> Iterator[str]:
    is_new, is_deleted = form not in formset.initial_forms, form in formset.deleted_forms
    if is_new and form.has_changed() and not is_deleted:
        yield _("%(part)s added") % {"part": form.instance}
    elif is_deleted and not is_new:
        yield _("%(part)s deleted") % {"part": form.instance}
    elif not is_new:
        yield from (f"{form.instance}, {change}" for change in changes_of(form))


def in_words(field: forms.Field, value: Any) -> str:
    """Write the value of a form's field as a person would."""
    if value is None or value in ("", []):
        return NOTHING
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, datetime):
        return f"{value.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
    if isinstance(value, (list, tuple, QuerySet)):
        return ", ".join(str(item) for item in value) or NOTHING
    return _chosen(field, value) if isinstance(field, forms.ChoiceField) else str(value)


def _chosen(field: forms.ChoiceField, value: Any) -> str:
    """Write what was chosen as the form offered it."""
    if not isinstance(field, forms.ModelChoiceField):
        return str(dict(field.choices).get(value, value))  # type: ignore[arg-type]
    if isinstance(value, Model) or field.queryset is None:
        return str(value)
    return str(field.queryset.model._default_manager.filter(pk=value).first() or value)  # noqa: SLF001
