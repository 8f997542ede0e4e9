"""A fan's own data: to read, and to take away by closing the account."""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import get_adapter
from allauth.account.decorators import reauthentication_required
from allauth.account.forms import ReauthenticateForm
from allauth.core import ratelimit
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from accounts.patience import patiently
from accounts.refusals import Refusal
from accounts.requests import SignedInRequest
from orders import services
from orders.models import Order, Payment
from queues.models import Admission


@never_cache
@login_required
@require_safe
def your_data(request: SignedInRequest) -> HttpResponse:
    return TemplateResponse(request, "orders/your_data.html")


@never_cache
@login_required
@require_safe
@reauthentication_required
def download_data(request: SignedInRequest) -> HttpResponse:
    """Give everything that is kept of the fan as one readable file."""
    return JsonResponse(
        patiently(services.read_own_data, request.user),
        json_dumps_params={"indent": 2, "ensure_ascii": False},
        headers={"Content-Disposition": 'attachment; filename="fairline-your-data.json"'},
    )


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def close_account(request: SignedInRequest) -> HttpResponse:
    """Say what closing means, and close the account once the password is given."""
    if request.method != "POST":
        return _closing_page(request, ReauthenticateForm(user=request.user))
    # As where allauth asks for it: a password is not to be guessed here either.
    too_often = ratelimit.consume_or_429(request, action="reauthenticate", user=request.user)
    if too_often:
        return too_often
    form = ReauthenticateForm(request.POST, user=request.user)
    if not form.is_valid():
        return _closing_page(request, form, status=400)
    try:
        patiently(services.close_account, request.user)
    except Refusal as refusal:
        return _closing_page(request, form, refusal=refusal)
    logout(request)
    messages.success(request, _("Your account is closed. Thank you for having been here."))
    return redirect(get_adapter().get_logout_redirect_url(request))


def _closing_page(
    request: SignedInRequest, form: ReauthenticateForm, *, refusal: Refusal | None = None, status: int | None = None
) -> HttpResponse:
    context: dict[str, Any] = {"form": form, "refusal": refusal, "obstacle": _obstacle(request)}
    if context["obstacle"]:
        context["passages"] = (
            Admission.objects.for_fan(request.user).live().select_related("queue__event").order_by("pk")
        )
        unsettled = Payment.objects.filter(order__buyer=request.user).unsettled()
        context["unpaid"] = (
            Order.objects.filter(pk__in=unsettled.values("order")).select_related("event").order_by("pk")
        )
    return TemplateResponse(request, "orders/close_account.html", context, status=status)


def _obstacle(request: SignedInRequest) -> Refusal | None:
    """Return what keeps the account from being closed, so that nobody types a password in vain."""
    try:
        services.check_may_close(request.user)
    except Refusal as refusal:
        return refusal
    return None
