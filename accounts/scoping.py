"""The walls between organizers in the admin: what staff see, choose from, and may do."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from django.contrib.admin import RelatedFieldListFilter
from django.contrib.admin.options import BaseModelAdmin
from django.contrib.admin.utils import get_fields_from_path
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from unfold.admin import ModelAdmin

from accounts.audit import Audited
from accounts.models import Organizer


def managed_organizers(request: HttpRequest) -> frozenset[int]:
    """Return the ids of the organizers whose rows the signed-in person may touch."""
    kept = vars(request)
    # Every permission of every model on an admin page asks; the database is asked once.
    if "_managed_organizers" not in kept:
        kept["_managed_organizers"] = frozenset(Organizer.objects.for_staff(request.user).values_list("pk", flat=True))
    return kept["_managed_organizers"]


def manages_any(request: HttpRequest) -> bool:
    """Tell whether the signed-in person has rows to work on in the admin."""
    return request.user.is_superuser or bool(managed_organizers(request))


class OrganizerScope(BaseModelAdmin):
    """Let staff with a managing membership work on their organizers' rows; a superuser is not limited.

    Everything a form offers for choice is limited too: rows of a model whose own admin is an `OrganizerScopedAdmin`
    by that; any other model by `choice_paths`, which gives the lookup from the chosen row to its organizer, or None
    where the rows are common to all. What is named in neither place offers nothing.
    """

    choice_paths: ClassVar[Mapping[str, str | None]] = {}

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return self.may_touch(request, obj)

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return self.may_touch(request, None)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return self.may_touch(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return self.may_touch(request, obj)

    def may_touch(self, request: HttpRequest, obj: Model | None) -> bool:
        """Tell whether the signed-in person may see and change `obj`, or any row at all when it is None."""
        return manages_any(request)

    def get_field_queryset(self, db: str | None, db_field: Any, request: HttpRequest) -> QuerySet | None:
        if request.user.is_superuser:
            return super().get_field_queryset(db, db_field, request)
        return self.choices_of(db_field, request)

    def choices_of(self, db_field: Any, request: HttpRequest) -> QuerySet:
        """Return the rows that the signed-in person may choose from in `db_field`."""
        model = db_field.remote_field.model
        if model is Organizer:
            return Organizer.objects.for_staff(request.user)
        if db_field.name in self.choice_paths:
            path = self.choice_paths[db_field.name]
            return _scoped(model.objects.all(), path, request) if path else model.objects.all()
        if self.admin_site.is_registered(model):
            model_admin = self.admin_site.get_model_admin(model)
            if isinstance(model_admin, OrganizerScopedAdmin):
                return model_admin.get_queryset(request)
        return model.objects.none()


class OrganizerScopedFilter(RelatedFieldListFilter):
    """Offer for filtering only what the signed-in person may see."""

    def field_choices(self, field: Any, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        if request.user.is_superuser:
            return super().field_choices(field, request, model_admin)
        return [(row.pk, str(row)) for row in model_admin.choices_of(field, request)]


class OrganizerScopedAdmin(OrganizerScope, Audited, ModelAdmin):
    """Show staff the rows of their own organizers; `organizer_path` is the lookup from a row to its organizer."""

    organizer_path: ClassVar[str] = "organizer"

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        rows = super().get_queryset(request)
        return rows if request.user.is_superuser else _scoped(rows, self.organizer_path, request)

    def may_touch(self, request: HttpRequest, obj: Model | None) -> bool:
        if not super().may_touch(request, obj):
            return False
        return obj is None or self.get_queryset(request).filter(pk=obj.pk).exists()

    def get_list_filter(self, request: HttpRequest) -> Sequence[Any]:
        return [self._scoped_filter(item) for item in super().get_list_filter(request)]

    def _scoped_filter(self, item: Any) -> Any:
        if isinstance(item, str) and get_fields_from_path(self.model, item)[-1].is_relation:
            return item, OrganizerScopedFilter
        return item


def _scoped(rows: QuerySet, path: str, request: HttpRequest) -> QuerySet:
    return rows.filter(**{f"{path}__in": managed_organizers(request)})


class ReadOnly:
    """Show, and leave writing to the services."""

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False
