from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.admin import TabularInline
from unfold.decorators import display

from accounts.flags import AddressFilter, FlaggedAddresses
from accounts.scoping import OrganizerScope, ReadOnly
from events.admin import SaleAdmin, place_time
from events.models import Event
from events.templatetags.money import currency
from orders.desk import OrderDesk, SaleEventAdmin, SaleQueueAdmin
from orders.models import Line, Order, Payment, Ticket
from queues.models import Queue


def _event_of_order(order: Order) -> Event:
    return order.event


def _event_of_part(part: Payment | Ticket) -> Event:
    return part.order.event


HELD = place_time("created_at", _("held since"), _event_of_order)
HOLD_ENDS = place_time("hold_ends_at", _("hold ends"), _event_of_order)
PAID = place_time("paid_at", _("paid"), _event_of_order)
ENDED = place_time("ended_at", _("ended"), _event_of_order)
TERMS_ACCEPTED = place_time("terms_accepted_at", _("terms accepted"), _event_of_order)
GRACE_GIVEN = place_time("grace_given_at", _("extended for payment"), _event_of_order)
BEGUN = place_time("created", _("begun"), _event_of_part)
SETTLED = place_time("settled_at", _("settled"), _event_of_part)
REFUND_DUE = place_time("refund_due_at", _("refund due"), _event_of_part)
ISSUED = place_time("issued_at", _("issued"), _event_of_part)


class OrderPart(ReadOnly, OrganizerScope, TabularInline):
    """Rows that belong to one order; whoever may see the order may see them."""

    extra = 0
    can_delete = False
    show_change_link = False
    ordering = ("pk",)


class LineInline(OrderPart):
    model = Line
    fields = ("tier", "quantity", "unit_price", "unit_fee")

    def get_queryset(self, request: Any) -> Any:
        return super().get_queryset(request).select_related("tier", "order")


class PaymentInline(OrderPart):
    model = Payment
    fields = readonly_fields = (
        BEGUN,
        "variant",
        "status",
        "total",
        "captured_amount",
        SETTLED,
        REFUND_DUE,
        "refund_reason",
    )

    def get_queryset(self, request: Any) -> Any:
        return super().get_queryset(request).select_related("order__event")


class TicketInline(OrderPart):
    """Its code is not shown: whoever has it can enter."""

    model = Ticket
    fields = readonly_fields = ("tier", "owner", "holder_name", "status", ISSUED)

    def get_queryset(self, request: Any) -> Any:
        return super().get_queryset(request).select_related("tier", "owner", "order__event")


# With what concerns their orders, too.
admin.site.unregister([Event, Queue])
admin.site.register(Event, SaleEventAdmin)
admin.site.register(Queue, SaleQueueAdmin)


@admin.register(Order)
class OrderAdmin(ReadOnly, FlaggedAddresses, OrderDesk):
    organizer_path = "event__organizer"
    fan_path = "buyer"
    view_on_site = False
    inlines = (LineInline, PaymentInline, TicketInline)
    list_display = ("code", "event", "buyer", "address_flags", "status_badge", "amount", HELD, PAID)
    list_filter = ("status", "event", "queue", AddressFilter)
    list_select_related = ("event", "buyer")
    search_fields = ("code", "buyer__email", "email")
    search_help_text = _("Search by confirmation number or e-mail address")
    ordering = ("-pk",)
    show_full_result_count = False
    fields = (
        ("code", "status"),
        ("event", "queue"),
        ("buyer", "about_address"),
        "email",
        ("subtotal", "service_fee"),
        ("total", "currency"),
        (HELD, HOLD_ENDS),
        (PAID, ENDED),
        (TERMS_ACCEPTED, GRACE_GIVEN),
    )

    @display(
        description=_("status"),
        ordering="status",
        label={"held": "info", "paid": "success", "lapsed": "warning", "refunded": "danger"},
    )
    def status_badge(self, order: Order) -> tuple[str, str]:
        return order.status, order.get_status_display()

    @display(description=_("total"), ordering="total")
    def amount(self, order: Order) -> str:
        return currency(order.total, order.currency)


@admin.register(Ticket)
class TicketAdmin(ReadOnly, SaleAdmin):
    """Its code is not shown: whoever has it can enter."""

    organizer_path = "event__organizer"
    view_on_site = False
    list_display = ("holder_name", "tier", "event", "owner", "order", "status_badge")
    list_filter = ("status", "event")
    list_select_related = ("tier", "event", "owner", "order__event")
    search_fields = ("holder_name", "owner__email", "order__code")
    search_help_text = _("Search by holder, owner's e-mail address or confirmation number")
    ordering = ("-pk",)
    show_full_result_count = False
    fields = (("event", "tier"), ("holder_name", "owner"), ("order", "status"), ("public_id", ISSUED))

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        # An address that asks for the codes beginning with A would tell them letter by letter.
        return lookup.partition("__")[0] != "code" and super().lookup_allowed(lookup, value, request)

    @display(description=_("status"), ordering="status", label={"valid": "success", "used": "info", "void": "danger"})
    def status_badge(self, ticket: Ticket) -> tuple[str, str]:
        return ticket.status, ticket.get_status_display()
