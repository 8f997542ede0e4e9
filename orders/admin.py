from typing import Any

from django.contrib import admin
from django.utils.translation import gettext_lazy as _
from unfold.admin import TabularInline
from unfold.decorators import display

from accounts.scoping import OrganizerScope
from events.admin import ReadOnly, SaleAdmin, with_utc
from events.templatetags.money import currency
from orders.models import Line, Order, Payment, Ticket


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
        "created",
        "variant",
        "status",
        "total",
        "captured_amount",
        "settled_at",
        "refund_due_at",
        "refund_reason",
    )


class TicketInline(OrderPart):
    """Its code is not shown: whoever has it can enter."""

    model = Ticket
    fields = ("tier", "owner", "holder_name", "status", "issued_at")

    def get_queryset(self, request: Any) -> Any:
        return super().get_queryset(request).select_related("tier", "owner")


@admin.register(Order)
class OrderAdmin(ReadOnly, SaleAdmin):
    organizer_path = "event__organizer"
    view_on_site = False
    inlines = (LineInline, PaymentInline, TicketInline)
    list_display = ("code", "event", "buyer", "status_badge", "amount", "held", "paid")
    list_filter = ("status", "event", "queue")
    list_select_related = ("event", "buyer")
    search_fields = ("code", "buyer__email", "email")
    search_help_text = _("Search by confirmation number or e-mail address")
    ordering = ("-pk",)
    show_full_result_count = False
    fields = (
        ("code", "status"),
        ("event", "queue"),
        ("buyer", "email"),
        ("subtotal", "service_fee", "total", "currency"),
        ("held", "hold_ends_at"),
        ("paid", "ended_at"),
        ("terms_accepted_at", "grace_given_at"),
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

    @display(description=_("held since"), ordering="created_at")
    def held(self, order: Order) -> str:
        return with_utc(order.created_at, order.event)

    @display(description=_("paid"), ordering="paid_at")
    def paid(self, order: Order) -> str:
        return with_utc(order.paid_at, order.event) if order.paid_at else ""


@admin.register(Ticket)
class TicketAdmin(ReadOnly, SaleAdmin):
    """Its code is not shown: whoever has it can enter."""

    organizer_path = "event__organizer"
    view_on_site = False
    list_display = ("holder_name", "tier", "event", "owner", "order", "status_badge")
    list_filter = ("status", "event")
    list_select_related = ("tier", "event", "owner", "order")
    search_fields = ("holder_name", "owner__email", "order__code")
    search_help_text = _("Search by holder, owner's e-mail address or confirmation number")
    ordering = ("-pk",)
    show_full_result_count = False
    fields = (("event", "tier"), ("holder_name", "owner"), ("order", "status"), ("public_id", "issued_at"))

    @display(description=_("status"), ordering="status", label={"valid": "success", "used": "info", "void": "danger"})
    def status_badge(self, ticket: Ticket) -> tuple[str, str]:
        return ticket.status, ticket.get_status_display()
