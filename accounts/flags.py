"""Flags for staff: addresses that are one mailbox, or made to be thrown away. Nobody is refused for them."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib.admin import SimpleListFilter
from django.contrib.admin.options import BaseModelAdmin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.decorators import display

from accounts import addresses
from accounts.models import User, count_sharing


class AddressFilter(SimpleListFilter):
    """Rows of fans with a flag."""

    title = _("address")
    parameter_name = "address"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        # Known here, and not where the rows are filtered.
        self.fan_path = model_admin.fan_path or "pk"
        return [("shared", _("Mailbox of several accounts")), ("disposable", _("Disposable address"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        flagged = {"shared": User.objects.sharing_mailbox(), "disposable": User.objects.disposable()}
        fans = flagged.get(self.value() or "")
        return queryset if fans is None else queryset.filter(**{f"{self.fan_path}__in": fans.values("pk")})


class FlaggedAddresses(BaseModelAdmin):
    """Show the flags of each row's fan, `fan_path` away; empty where the rows are the accounts themselves."""

    fan_path: ClassVar[str] = ""

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).annotate(sharing_count=count_sharing(self.fan_path))

    @display(description=_("address"), label="warning")
    def address_flags(self, row: Any) -> list[str]:
        return self._flags_of(row)

    @display(description=_("about the address"))
    def about_address(self, row: Any) -> str:
        return ", ".join(self._flags_of(row))

    def _flags_of(self, row: Any) -> list[str]:
        # A form for a new row asks, too.
        if row.pk is None:
            return []
        fan = getattr(row, self.fan_path) if self.fan_path else row
        if fan is None:
            # Somebody who stands in line without an account.
            return []
        return flags_of(fan.email, sharing_count=row.sharing_count or 0)


def flags_of(email: str, *, sharing_count: int) -> list[str]:
    """Return what staff should know of an address, in words."""
    flags = [_t("disposable address")] if addresses.is_disposable(email) else []
    if sharing_count:
        words = ngettext("same mailbox as %(count)d other", "same mailbox as %(count)d others", sharing_count)
        flags.append(words % {"count": sharing_count})
    return flags
