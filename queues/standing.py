"""Who it is that asks, by account or by the visitor's cookie, and where they stand: the same for pages and programs."""

from __future__ import annotations

from allauth.account.adapter import get_adapter
from django.http import HttpRequest
from django.shortcuts import get_object_or_404

from accounts.models import User
from accounts.patience import patiently
from queues import services
from queues.cookies import read_visitor
from queues.models import Admission, Queue
from queues.services import Entry
from queues.visitors import Visitor


def find_queue(slug: str) -> Queue:
    """Return a queue that fans may know, with its event and venue; Http404 where there is none."""
    return get_object_or_404(Queue.objects.published().select_related("event__venue"), slug=slug)


def find_own(request: HttpRequest, queue: Queue) -> Admission | None:
    """Return where the account that is signed in, or else the visitor, stands or has stood in `queue`."""
    visitor = take_place_along(request, queue)
    fan = request.user if request.user.is_authenticated else visitor
    return services.find_standing(queue, fan) if fan is not None else None


def take_place_along(request: HttpRequest, queue: Queue) -> Visitor | None:
    """Give an account that has signed in the place that its browser has had; returns the visitor, if there was one."""
    visitor = read_visitor(request)
    if visitor is not None and request.user.is_authenticated:
        patiently(services.take_place_along, queue, visitor, request.user)
    return visitor


def find_joiner(request: HttpRequest, queue: Queue) -> User | Visitor | None:
    """Return who would join: the account, or a visitor where the queue asks for none; None: sign in first."""
    if request.user.is_authenticated:
        take_place_along(request, queue)
        return request.user
    if queue.require_authentication:
        return None
    return read_visitor(request) or Visitor()


def join_line(queue: Queue, fan: User | Visitor, entry: Entry) -> tuple[Admission, bool]:
    """Let the account or the visitor stand in line; returns the admission, and whether it is new."""
    if isinstance(fan, Visitor):
        return services.join_as_visitor(queue, fan, entry)
    return services.join_queue(queue, fan, entry)


def entry_of(request: HttpRequest, shown: dict[str, str]) -> Entry:
    """Return what is brought to the door: what was `shown`, and the network address that it came from."""
    return Entry(**shown, address=get_adapter().get_client_ip(request))
