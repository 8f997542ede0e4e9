"""From the hold to the ticket: names, payment, confirmation."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from payments import PaymentStatus

from accounts.patience import patiently
from accounts.refusals import Refusal
from accounts.requests import SignedInRequest
from orders import services
from orders.forms import HoldersForm
from orders.models import Order, Payment
from orders.providers import Outcome
from orders.views.endings import ending_of, ways_on
from queues.models import Phase


@never_cache
@login_required
@require_safe
def order_detail(request: SignedInRequest, code: str) -> HttpResponse:
    """Show the order at its stage: names, payment in progress, confirmation, or how it ended."""
    order = _order(request, code)
    if order.status in {Order.Status.CANCELLED, Order.Status.REPLACED}:
        return redirect("orders:journey", order.queue.slug)
    if order.status == Order.Status.LAPSED:
        return _lapsed(request, order)
    if not order.is_held:
        return _confirmation(request, order)
    if order.event.is_cancelled and not order.has_payment_in_progress():
        return redirect("orders:journey", order.queue.slug)
    return _checkout(request, order, HoldersForm(order=order))


@login_required
@require_POST
def pay(request: SignedInRequest, code: str) -> HttpResponse:
    """Take names and contact, open the payment, and go on to the provider."""
    order = _order(request, code)
    form = HoldersForm(request.POST, order=order)
    if order.is_held and not form.is_valid():
        return _checkout(request, order, form, status=400)
    try:
        payment = patiently(
            services.start_payment, order, holders=_holders(form), email=form.cleaned_data.get("email", "")
        )
    except Refusal as refusal:
        order = _order(request, code)
        return _checkout(request, order, form, refusal=refusal) if order.is_held else redirect(order)
    if payment.status == PaymentStatus.CONFIRMED:
        patiently(services.settle_payment, payment)
        return redirect(order)
    return redirect("orders:payment", order.code)


def _holders(form: HoldersForm) -> list[str]:
    return form.holders() if form.is_valid() else []


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def payment(request: SignedInRequest, code: str) -> HttpResponse:
    """Stand at the provider's counter: its form, or the way to its own page."""
    order = _order(request, code)
    going_on = Payment.objects.of(order).in_progress().first()
    is_over = request.method != "POST" and not order.is_held
    if going_on is None or is_over:
        return redirect(order)
    context = {"order": order, "event": order.event, "payment": going_on, "outcomes": Outcome, "now": timezone.now()}
    try:
        onward = services.submit_payment(going_on, request.POST if request.method == "POST" else None)
    except Refusal as refusal:
        return TemplateResponse(request, "orders/payment.html", context | {"refusal": refusal})
    return redirect(onward) if onward else TemplateResponse(request, "orders/payment.html", context)


@never_cache
@login_required
@require_safe
def return_from_payment(request: SignedInRequest, code: str) -> HttpResponse:
    """Come back from the provider: settle what has arrived, then show the order."""
    order = _order(request, code)
    patiently(services.settle_order, order)
    return redirect(order)


@login_required
@require_POST
def cancel_payment(request: SignedInRequest, code: str) -> HttpResponse:
    order = _order(request, code)
    patiently(services.cancel_payment, order)
    return redirect(order)


@login_required
@require_POST
def give_back(request: SignedInRequest, code: str) -> HttpResponse:
    order = _order(request, code)
    try:
        patiently(services.release_order, order)
    except Refusal as refusal:
        order = _order(request, code)
        if order.is_held:
            return _checkout(request, order, HoldersForm(order=order), refusal=refusal)
        return redirect(order)
    return redirect("orders:journey", order.queue.slug)


def _order(request: SignedInRequest, code: str) -> Order:
    orders = Order.objects.for_buyer(request.user).select_related("event__venue", "queue", "admission", "buyer")
    return get_object_or_404(orders.with_lines(), code=code)


def _checkout(
    request: SignedInRequest,
    order: Order,
    form: HoldersForm,
    *,
    refusal: Refusal | None = None,
    status: int | None = None,
) -> HttpResponse:
    last = Payment.objects.of(order).order_by("-pk").first()
    context = {
        "order": order,
        "event": order.event,
        "lines": list(order.lines.all()),
        "form": form,
        "has_payment_in_progress": order.has_payment_in_progress(),
        "was_declined": last is not None and last.is_declined,
        "now": timezone.now(),
        "refusal": refusal,
    }
    return TemplateResponse(request, "orders/checkout.html", context, status=status)


def _lapsed(request: SignedInRequest, order: Order) -> HttpResponse:
    now = timezone.now()
    order.queue.event = order.event
    can_join = order.queue.phase(now) in {Phase.OPEN, Phase.PAUSED}
    context = {
        "order": order,
        "queue": order.queue,
        "event": order.event,
        "can_join": can_join,
        "ending": ending_of(order.admission),
        "now": now,
    }
    if not can_join:
        context |= ways_on(order.queue, now=now)
    return TemplateResponse(request, "orders/expired.html", context)


def _confirmation(request: SignedInRequest, order: Order) -> HttpResponse:
    context = {
        "order": order,
        "event": order.event,
        "lines": list(order.lines.all()),
        "tickets": list(order.tickets.select_related("tier").order_by("pk")),
        "now": timezone.now(),
    }
    return TemplateResponse(request, "orders/confirmation.html", context)
