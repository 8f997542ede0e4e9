"""The organiser's desk of a running sale, with what concerns its orders."""

from functools import partial
from typing import Any, ClassVar

from django import forms
from django.contrib.admin.utils import unquote
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.decorators import action, display
from unfold.forms import BaseDialogForm
from unfold.widgets import UnfoldAdminEmailInputWidget, UnfoldAdminIntegerFieldWidget, UnfoldBooleanSwitchWidget

from accounts.models import EMAIL_LENGTH
from events.admin import EventAdmin, SaleAdmin, ask
from events.forms import EventForm
from events.models import Event
from orders import services
from orders.models import Order
from queues.admin import QueueAdmin, QueueForm
from queues.desk.sale import SaleDesk
from queues.models import Phase, Queue
from queues.refusals import AllocationBelowUsed

WORDS = {
    "sold": _("sold"),
    "reserved": _("reserved"),
    "allocated": _("reserved or sold in this queue"),
    "orders": _("orders"),
    "tickets": _("tickets"),
    "holding": _("holds tickets"),
}
MOST_MINUTES = 60
BETWEEN = _("Please give between 1 and 60 minutes.")
# In a dialog; the log has them all.
SHOWN = 20


class ExtensionDialog(BaseDialogForm):
    """How much longer those inside may take."""

    minutes = forms.IntegerField(
        label=_("Minutes"),
        min_value=1,
        max_value=MOST_MINUTES,
        initial=5,
        error_messages={"min_value": BETWEEN, "max_value": BETWEEN, "invalid": BETWEEN},
        widget=UnfoldAdminIntegerFieldWidget,
    )


class RecountDialog(BaseDialogForm):
    """Shows where counters and rows differ, before anything is mended."""

    form_before_template = "orders/desk/differences.html"

    def get_before_template_context(self, request: HttpRequest, object_id: int | str | None = None) -> dict[str, Any]:
        differences = services.find_differences(Event.objects.get(pk=unquote(str(object_id))))
        rows = [
            [difference.whose, WORDS[difference.what], difference.counter, difference.rows]
            for difference in differences
        ]
        headers = [_("of"), _("counter"), _("it says"), _("its rows say")]
        return {"table": {"headers": headers, "rows": rows[:SHOWN]}, "hidden_count": max(0, len(rows) - SHOWN)}


class ContactDialog(BaseDialogForm):
    """Where letters about one order go; whose order it is has been asked before."""

    email = forms.EmailField(label=_("E-mail address"), max_length=EMAIL_LENGTH, widget=UnfoldAdminEmailInputWidget)
    with_receipt = forms.BooleanField(
        label=_("Send the receipt to it"), required=False, widget=UnfoldBooleanSwitchWidget
    )

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        order = Order.objects.select_related("buyer").get(pk=unquote(str(self.object_id)))
        self.fields["email"].initial = order.email or order.buyer.email


class OrderDesk(SaleAdmin):
    """What staff mend about one order."""

    actions_detail = ("correct_contact",)

    def offered_actions(self, row: Order) -> set[str]:
        return super().offered_actions(row) | (set() if row.buyer.is_closed else {"correct_contact"})

    @action(
        description=_("Correct the e-mail address"),
        permissions=["desk"],
        dialog=ask(
            _("Correct the e-mail address of this order"),
            _("Letters about this order go there from now on. The fan signs in as before."),
            _("Save"),
            ContactDialog,
        ),
    )
    def correct_contact(self, request: HttpRequest, form: ContactDialog, object_id: str) -> HttpResponse:
        asked = form.cleaned_data
        mend = partial(_mend_contact, email=asked["email"], with_receipt=asked["with_receipt"])
        return self.carry_out_and_tell(request, object_id, mend)


def _mend_contact(order: Order, *, email: str, with_receipt: bool) -> str:
    before = services.correct_contact(order, email=email)
    said = _t("Contact e-mail: %(before)s → %(after)s.") % {"before": before, "after": email}
    if not with_receipt:
        return said
    services.send_receipt(order)
    return f"{said} {_t('The receipt is on its way.')}"


class SaleEventForm(EventForm):
    def clean_require_identification(self) -> bool:
        """Refuse it while fans without an account may stand in one of the event's lines."""
        asked = bool(self.cleaned_data["require_identification"])
        if asked and self.instance.pk and self.instance.queues.filter(require_authentication=False).exists():
            text = _("A queue of this event can be joined without an account. Let it ask for one first.")
            raise forms.ValidationError(text)
        return asked


class SaleEventAdmin(EventAdmin):
    """The event's page with what concerns its queues and orders, too."""

    form = SaleEventForm
    actions_detail: ClassVar[tuple[str, ...]] = (*EventAdmin.actions_detail, "recount")
    readonly_fields: ClassVar[tuple[str, ...]] = (*EventAdmin.readonly_fields, "sales")

    def get_fieldsets(self, request: HttpRequest, obj: Event | None = None) -> Any:
        first, *rest = super().get_fieldsets(request, obj)
        return [first, *rest] if obj is None else [first, (_("Sales"), {"fields": ("sales",)}), *rest]

    @display(description=_("queues"))
    def sales(self, event: Event) -> str:
        now = timezone.now()
        queues = Queue.objects.filter(event=event).select_related("event").in_order()
        rows = [
            (reverse("admin:queues_queue_change", args=[queue.pk]), queue.name, queue.phase(now).label)
            for queue in queues
        ]
        add = format_html('<a href="{}?event={}">{}</a>', reverse("admin:queues_queue_add"), event.pk, _("Add a queue"))
        return format_html_join("", '<p><a href="{}">{}</a> ({})</p>', rows) + format_html("<p>{}</p>", add)

    def offered_actions(self, row: Event) -> set[str]:
        return super().offered_actions(row) | (set() if row.status == Event.Status.DRAFT else {"recount"})

    @action(
        description=_("Recount stock"),
        permissions=["desk"],
        dialog=ask(
            _("Recount the stock?"),
            _("Every counter is compared with the tickets and holds there are. The sale goes on meanwhile."),
            _("Set the counters right"),
            RecountDialog,
        ),
    )
    def recount(self, request: HttpRequest, form: RecountDialog, object_id: str) -> HttpResponse:
        return self.carry_out_and_tell(request, object_id, _recount)


def _recount(event: Event) -> str:
    changed = services.recount_stock(event)
    if not changed:
        return _t("Recounted: every counter agrees with its rows.")
    said = (f"{row.whose}, {WORDS[row.what]}: {row.counter} → {row.rows}" for row in changed)
    return _t("Recounted. %(changes)s") % {"changes": "; ".join(said)}


class SaleQueueForm(QueueForm):
    def clean_allocation(self) -> int | None:
        """Refuse politely, by the rows as they are read; the service that saves it has the last word."""
        asked = self.cleaned_data["allocation"]
        used = services.tickets_used(self.instance) if self.instance.pk and asked is not None else 0
        if asked is not None and asked < used:
            raise forms.ValidationError(str(AllocationBelowUsed(used)))
        return asked


class SaleQueueAdmin(QueueAdmin):
    """The queue's page with what concerns its orders, too."""

    form = SaleQueueForm
    late_refusals = (*QueueAdmin.late_refusals, AllocationBelowUsed)
    actions_detail: ClassVar[tuple[Any, ...]] = (
        *SaleDesk.about_sale,
        {"title": _("The line"), "icon": "group", "items": (*SaleDesk.about_line, "extend")},
        {"title": _("Codes"), "icon": "key", "items": QueueAdmin.about_codes},
    )

    def save_model(self, request: HttpRequest, obj: Any, form: forms.ModelForm, change: bool) -> None:
        if change and "allocation" in form.changed_data:
            # Before anything else is written: see the service.
            services.change_allocation(obj, obj.allocation)
        super().save_model(request, obj, form, change)

    def offered_actions(self, row: Queue) -> set[str]:
        # Somebody may still be inside after the end.
        has_begun = row.phase(timezone.now()) not in {Phase.DRAFT, Phase.SCHEDULED, Phase.LOBBY}
        return super().offered_actions(row) | ({"extend"} if has_begun else set())

    @action(
        description=_("Give more time"),
        permissions=["desk"],
        dialog=ask(
            _("Give everyone inside more time?"),
            _("Whoever is inside has so much longer to buy and to pay. An open page shows it when it is read again."),
            _("Give more time"),
            ExtensionDialog,
        ),
    )
    def extend(self, request: HttpRequest, form: ExtensionDialog, object_id: str) -> HttpResponse:
        return self.carry_out_and_tell(request, object_id, partial(_extend, minutes=form.cleaned_data["minutes"]))


def _extend(queue: Queue, *, minutes: int) -> str:
    inside = services.extend_windows(queue, minutes=minutes)
    said = ngettext(
        "%(minutes)d more minutes for %(count)d fan inside.",
        "%(minutes)d more minutes for %(count)d fans inside.",
        inside,
    )
    return said % {"minutes": minutes, "count": inside}
