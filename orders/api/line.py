"""A fan's way through a queue, for programs: the stages of the page, one act an address."""

from __future__ import annotations

from functools import partial

from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.closing import AccountClosed
from accounts.contract import Polled, code_of, refuses
from accounts.patience import patiently
from accounts.repeats import Repeatable
from accounts.requests import account_of
from orders import services
from orders.refusals import HoldLapsed, OrderNotHeld, PaymentInProgress
from orders.serializers.line import EntrySerializer, JourneySerializer, ReadinessSerializer
from queues import refusals
from queues import services as queue_services
from queues.board import Board
from queues.cookies import introduce_visitor, remember_visitor
from queues.journey import journey_told_at_once
from queues.models import Admission, Queue
from queues.services import Entry
from queues.standing import entry_of, find_joiner, find_own, find_queue, join_line
from queues.visitors import Visitor

# Of whoever asks where they stand: a stranger, or an account that is closed while its browser's place comes along.
OF_STANDING = (refusals.AccountRequired, AccountClosed)


class ReadyView(APIView):
    """Getting ready before the opening; for accounts, because nothing is remembered for a visitor."""

    @extend_schema(operation_id="queue_ready", tags=["queues"], request=EntrySerializer, responses=ReadinessSerializer)
    @refuses(refusals.Throttled)
    def post(self, request: Request, slug: str) -> Response:
        """Show ahead of the opening what the queue asks for; what is good of it is remembered for the account.

        Tells of everything that joining would be refused for, except the queue's phase and the room in its line. Too
        many wrong codes are refused.
        """
        queue = find_queue(slug)
        missing = patiently(queue_services.get_ready_in_part, queue, account_of(request), _entry(request))
        answer = {"ready": not missing, "missing": [code_of(refusal) for refusal in missing]}
        return Response(ReadinessSerializer(answer).data)


class JoinView(Repeatable):
    """Standing in line; also without an account, where the queue asks for none."""

    permission_classes = (AllowAny,)

    @extend_schema(
        operation_id="queue_join",
        tags=["queues"],
        request=EntrySerializer,
        responses={201: JourneySerializer, 200: JourneySerializer},
    )
    @refuses(
        refusals.QueueNotOpen,
        refusals.QueueClosed,
        refusals.QueueSoldOut,
        refusals.AccountRequired,
        AccountClosed,
        refusals.EmailNotVerified,
        refusals.IdentityNotVerified,
        refusals.OrderLimitReached,
        refusals.TicketLimitReached,
        refusals.NotInAudience,
        refusals.CardNotEligible,
        refusals.AccessCodeRequired,
        refusals.AccessCodeInvalid,
        refusals.Throttled,
        refusals.CaptchaRequired,
        refusals.CaptchaFailed,
        refusals.QueueFull,
    )
    def post(self, request: Request, slug: str) -> HttpResponse:
        """Stand in line at its end (201), or go on standing where one stands (200).

        Where the queue asks for no account, the answer's cookie is who one is in line.
        """
        queue = find_queue(slug)
        fan = find_joiner(request, queue)
        if fan is None:
            raise refusals.AccountRequired
        # Read before the line: what a board takes must not hold up the tick.
        board = patiently(queue_services.read_board, queue)
        answer = self.create_once(
            partial(join_line, queue, fan, _entry(request)),
            lambda joined: _journey_on(board, queue, joined[0], status=201 if joined[1] else 200),
        )
        return remember_visitor(answer, fan) if isinstance(fan, Visitor) else answer


class JourneyView(Polled):
    """A fan's own view of a queue."""

    permission_classes = (AllowAny,)

    @extend_schema(operation_id="queue_journey", tags=["queues"], responses=JourneySerializer)
    @refuses(*OF_STANDING)
    def get(self, request: Request, slug: str) -> Response:
        """Say where the fan stands.

        Position, wait and the queue's size are the board's, hence some seconds old.
        """
        queue = find_queue(slug)
        shown = _journey(queue, _own(request, queue))
        return shown if queue.require_authentication else introduce_visitor(request, shown)


class ClaimView(APIView):
    """Saying that one is there."""

    permission_classes = (AllowAny,)

    @extend_schema(operation_id="queue_claim", tags=["queues"], request=None, responses=JourneySerializer)
    @refuses(*OF_STANDING, refusals.AdmittanceInvalid, refusals.AdmittanceExpired)
    def post(self, request: Request, slug: str) -> Response:
        """Say "I am here" once admitted. Twice changes nothing."""
        queue = find_queue(slug)
        own = _own(request, queue)
        if own is None:
            raise refusals.AdmittanceInvalid
        patiently(queue_services.claim_admission, own)
        return _journey(queue, _own(request, queue))


class LeaveView(APIView):
    """Going away."""

    permission_classes = (AllowAny,)

    @extend_schema(operation_id="queue_leave", tags=["queues"], request=None, responses={204: None})
    @refuses(*OF_STANDING, refusals.NotInLine, PaymentInProgress, HoldLapsed, OrderNotHeld)
    def post(self, request: Request, slug: str) -> Response:
        """Give up the place in line, or the turn with what is held."""
        queue = find_queue(slug)
        own = _own(request, queue)
        if own is None:
            raise refusals.NotInLine
        patiently(services.leave_line, own)
        return Response(status=204)


def _entry(request: Request) -> Entry:
    shown = EntrySerializer(data=request.data)
    shown.is_valid(raise_exception=True)
    return entry_of(request, shown.validated_data)


def _own(request: Request, queue: Queue) -> Admission | None:
    """Return where the fan stands or has stood.

    Raises:
        AccountRequired: a stranger asks, and the queue asks for an account.
    """
    own = find_own(request, queue)
    if own is None and queue.require_authentication and not request.user.is_authenticated:
        raise refusals.AccountRequired
    return own


def _journey(queue: Queue, own: Admission | None) -> Response:
    return _journey_on(patiently(queue_services.read_board, queue), queue, own)


def _journey_on(board: Board, queue: Queue, own: Admission | None, *, status: int = 200) -> Response:
    journey = journey_told_at_once(queue, own, board, now=timezone.now())
    return Response(JourneySerializer(journey).data, status=status)
