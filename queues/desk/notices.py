"""The organiser's desk of notices: how far each has come, and how to stop one."""

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.decorators import action, display
from unfold.enums import ActionVariant

from accounts.scoping import ReadOnly
from events.admin import SaleAdmin, ask, place_time
from events.models import Event
from queues import services
from queues.models import Notice, Queue
from queues.services import Progress

# On the page of a queue; the list of notices has them all.
NEWEST = 5


def _event_of(notice: Notice) -> Event:
    return notice.queue.event


WRITTEN = place_time("created_at", _("written"), _event_of)


@display(description=_("how far it has come"))
def progress(notice: Notice) -> str:
    """Say what became of a notice's letters."""
    reached = services.measure_progress(notice)
    facts = {"sent": reached.sent, "failed": reached.failed, "readers": reached.readers}
    said = _t("%(sent)d of %(readers)d sent, %(failed)d failed") % facts
    return f"{said}, {_state(notice, reached)}"


def _state(notice: Notice, reached: Progress) -> str:
    if notice.is_stopped:
        return _t("stopped")
    return _t("going out") if reached.queued or not notice.finished_at else _t("done")


class NoticesDesk(SaleAdmin):
    """What was written to those who wait."""

    @display(description=_("written to all who wait"))
    def notices_sent(self, queue: Queue) -> SafeString | str:
        if not queue.pk:
            return ""
        newest = queue.notices.newest_first().select_related("queue__event")[:NEWEST]
        rows = (
            (reverse("admin:queues_notice_change", args=[notice.pk]), notice, WRITTEN(notice), progress(notice))
            for notice in newest
        )
        return format_html_join(
            "", '<p class="mb-3"><a class="text-primary-600 dark:text-primary-500" href="{}">{}</a><br>{}: {}</p>', rows
        )


class NoticeAdmin(ReadOnly, SaleAdmin):
    """One notice. It is written from the page of its queue; what has gone out is not changed."""

    organizer_path = "queue__event__organizer"
    list_display = ("__str__", "queue", "created_by", WRITTEN, progress)
    list_filter = ("queue",)
    list_select_related = ("queue__event", "created_by")
    list_per_page = 20
    search_fields = ("text", "queue__name")
    ordering = ("-pk",)
    fields = (("queue", "created_by"), "text", (WRITTEN, progress))
    actions_detail = ("stop",)

    def offered_actions(self, row: Notice) -> set[str]:
        return set() if row.is_stopped else {"stop"}

    @action(
        description=_("Stop"),
        permissions=["desk"],
        variant=ActionVariant.DANGER,
        dialog=ask(
            _("Send no more of this notice?"),
            _("Letters that have gone out cannot be called back. Those who have none yet will not get it."),
            _("Stop it"),
        ),
    )
    def stop(self, request: HttpRequest, form: object, object_id: str) -> HttpResponse:
        return self.carry_out_and_tell(request, object_id, _stop)


def _stop(notice: Notice) -> str:
    kept_back = services.stop_notice(notice)
    said = ngettext("Stopped; %(count)d letter was kept back.", "Stopped; %(count)d letters were kept back.", kept_back)
    return said % {"count": kept_back}
