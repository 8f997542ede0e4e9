"""One address for the whole way through a queue: it shows the page of the fan's stage."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from accounts.models import User
from accounts.patience import patiently
from accounts.refusals import Refusal
from events.offers import Offer, offers_of
from orders import services
from orders.forms import SelectionForm
from orders.models import Order
from orders.views.endings import ending_of, ways_on
from queues import admittance
from queues import services as queue_services
from queues.conditions import CODE_LENGTH
from queues.cookies import introduce_visitor, remember_visitor
from queues.forms import EntryForm
from queues.journey import OVER, Journey, Stage, journey_of
from queues.models import Admission, EndReason, Phase, Queue
from queues.services import Entry, Needs
from queues.standing import entry_of, find_joiner, find_own, find_queue, join_line, take_place_along
from queues.visitors import Visitor

Fan = TypeVar("Fan", bound=User | Visitor)

SOLD_OUT = "orders/sold_out.html"
CLOSED = "orders/closed.html"
# What static/js/claim.js understands: no content, reset content.
KEEP_PAGE, RELOAD_PAGE = 204, 205
JOINABLE = {Phase.OPEN, Phase.PAUSED}
AT_THE_DOOR = {Stage.NOT_STARTED, Stage.EXPIRED, Stage.COMPLETED}
BEFORE_JOINING = {
    Phase.SCHEDULED: "orders/countdown.html",
    Phase.LOBBY: "orders/countdown.html",
    Phase.OPEN: "orders/join.html",
    Phase.PAUSED: "orders/join.html",
    Phase.SOLD_OUT: SOLD_OUT,
    Phase.CLOSED: CLOSED,
}


@never_cache
@require_safe
def journey(request: HttpRequest, slug: str) -> HttpResponse:
    """Show where the fan stands and what there is to do."""
    queue = find_queue(slug)
    standing = find_own(request, queue)
    if standing and standing.is_completed and not _may_buy_more(queue, standing):
        return redirect("orders:detail", standing.order_code)
    shown = _page(request, queue, standing)
    return shown if queue.require_authentication else introduce_visitor(request, shown)


def _may_buy_more(queue: Queue, standing: Admission) -> bool:
    """Whether a fan who has bought here may stand in line again: most may not, and are shown their order."""
    fan = standing.user
    is_joinable = queue.phase(timezone.now()) in JOINABLE
    return fan is not None and is_joinable and queue_services.has_allowance_left(fan, queue)


@require_POST
def join(request: HttpRequest, slug: str) -> HttpResponse:
    queue = find_queue(slug)
    fan = find_joiner(request, queue)
    if fan is None:
        return _sign_in_first(queue)
    answer = _enter(request, queue, fan, join_line)
    return remember_visitor(answer, fan) if isinstance(fan, Visitor) else answer


@require_POST
def ready(request: HttpRequest, slug: str) -> HttpResponse:
    """Remember what the queue asks for, before it opens."""
    queue = find_queue(slug)
    if not request.user.is_authenticated:
        return _sign_in_first(queue)
    return _enter(request, queue, request.user, queue_services.get_ready)


def _enter(
    request: HttpRequest, queue: Queue, fan: Fan, service: Callable[[Queue, Fan, Entry], object]
) -> HttpResponse:
    """Bring what was typed to one of the services at the queue's door."""
    form = EntryForm(request.POST)
    if not form.is_valid():
        return _page(request, queue, find_own(request, queue), entry_form=form, status=400)
    try:
        patiently(service, queue, fan, entry_of(request, form.cleaned_data))
    except Refusal as refusal:
        return _page(request, queue, find_own(request, queue), entry_form=form, refusal=refusal)
    return redirect("orders:journey", queue.slug)


def _sign_in_first(queue: Queue) -> HttpResponse:
    return redirect_to_login(reverse("orders:journey", args=[queue.slug]))


@require_POST
def claim(request: HttpRequest, slug: str) -> HttpResponse:
    """Note that the fan is there. A script is told in one number whether to keep its page or to load it anew."""
    queue = find_queue(slug)
    standing = find_own(request, queue)
    has_turn, refusal = standing is not None and standing.is_admitted, None
    try:
        if standing is not None and has_turn:
            patiently(queue_services.claim_admission, standing)
    except Refusal as late:
        has_turn, refusal = False, late
    if not request.accepts("text/html"):
        return HttpResponse(status=KEEP_PAGE if has_turn else RELOAD_PAGE)
    if refusal is not None:
        return _page(request, queue, find_own(request, queue), refusal=refusal)
    return redirect("orders:journey", slug)


@require_POST
def leave(request: HttpRequest, slug: str) -> HttpResponse:
    queue = find_queue(slug)
    standing = find_own(request, queue)
    if standing is None:
        return redirect("orders:journey", slug)
    try:
        patiently(services.leave_line, standing)
    except Refusal as refusal:
        return _page(request, queue, find_own(request, queue), refusal=refusal)
    return redirect("queues:event", queue.event.slug)


@require_POST
def hold(request: HttpRequest, slug: str) -> HttpResponse:
    queue = find_queue(slug)
    if not request.user.is_authenticated:
        return _sign_in_first(queue)
    visitor = take_place_along(request, queue)
    form = _selection_form(queue, request.POST)
    if not form.is_valid():
        return _page(request, queue, find_own(request, queue), form=form, status=400)
    token = form.cleaned_data["token"]
    if visitor is not None:
        # The page may still be the one that was sent before the signing in.
        token = admittance.taken_along(token, visitor=visitor, user=request.user)
    try:
        order = patiently(services.hold_tickets, user=request.user, token=token, wanted=form.wanted())
    except Refusal as refusal:
        return _page(request, queue, find_own(request, queue), form=form, refusal=refusal)
    return HttpResponseRedirect(order.get_absolute_url())


def _selection_form(queue: Queue, data: Any = None, **options: Any) -> SelectionForm:
    tiers = list(queue.open_tiers().in_order())
    return SelectionForm(data, tiers=tiers, maximum=queue.event.max_tickets_per_order, **options)


def _page(
    request: HttpRequest,
    queue: Queue,
    standing: Admission | None,
    *,
    form: SelectionForm | None = None,
    entry_form: EntryForm | None = None,
    refusal: Refusal | None = None,
    status: int | None = None,
) -> HttpResponse:
    """Show the page of the fan's stage, with a refusal and what was typed if there is any."""
    now = timezone.now()
    board = patiently(queue_services.read_board, queue)
    own = journey_of(queue, standing, board, now=now)
    left = queue_services.read_availability(queue, now=now)
    offers = offers_of(queue.event, queue.open_tiers().in_order(), left)
    context = {
        "queue": queue,
        "event": queue.event,
        "offers": offers,
        "can_join": own.phase in JOINABLE,
        "standing": standing,
        "journey": own,
        "board": board,
        "now": now,
        "refusal": refusal,
        "needs_account": queue.require_authentication and not request.user.is_authenticated,
    }
    if own.stage in AT_THE_DOOR and not context["needs_account"]:
        context["needs"] = _needs(request, queue)
        context["entry_form"] = entry_form or EntryForm(initial={"code": request.GET.get("code", "")[:CODE_LENGTH]})
    if own.stage == Stage.ADMITTED and standing is not None:
        context |= _selection(queue, standing, own.admittance_token, form, offers)
    if own.stage == Stage.EXPIRED and standing is not None:
        context["ending"] = ending_of(standing)
    if own.phase in OVER:
        context |= ways_on(queue, now=now)
    template = _template_for(own, standing, is_cancelled=queue.event.is_cancelled)
    return TemplateResponse(request, template, context, status=status)


def _needs(request: HttpRequest, queue: Queue) -> Needs:
    if request.user.is_authenticated:
        return queue_services.find_needs(queue, request.user)
    return queue_services.find_needs_of_visitor(queue)


def _template_for(own: Journey, standing: Admission | None, *, is_cancelled: bool) -> str:
    """Choose the page. The end of a sale is told at once, before the sweep has freed who waits.

    Whoever is inside goes on when the sale closes, but buys nothing of an event that is cancelled.
    """
    has_ended = own.phase in OVER
    match own.stage:
        case Stage.WAITING if not has_ended:
            return "orders/line.html"
        case Stage.ADMITTED if is_cancelled:
            return CLOSED
        case Stage.ADMITTED if own.phase != Phase.SOLD_OUT or (standing and standing.has_hold):
            return "orders/selection.html"
        case Stage.EXPIRED:
            return "orders/expired.html"
    if has_ended and own.reason == EndReason.SOLD_OUT:
        return SOLD_OUT
    return BEFORE_JOINING[own.phase]


def _selection(
    queue: Queue, standing: Admission, token: str | None, form: SelectionForm | None, offers: list[Offer]
) -> dict[str, Any]:
    """What choosing tickets needs: the form, filled with what is held already."""
    held = Order.objects.held().with_lines().filter(admission=standing).first()
    chosen = {f"tier-{tier.slug}": number for tier, number in held.quantities().items()} if held else {}
    form = form or _selection_form(queue, initial={"token": token, **chosen})
    own = held.ticket_count() if held else 0
    maximum = min(queue.event.max_tickets_per_order, queue.at_most(queue.event.max_tickets_per_order) + own)
    return {"form": form, "rows": form.rows(offers), "held": held, "maximum": maximum}
