"""The organiser's desk of a running sale: a part of the queue's page in the admin."""

from functools import partial
from typing import cast

from django import forms
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action
from unfold.enums import ActionVariant

from accounts.models import User
from events.admin import SaleAdmin, ask
from queues import services
from queues.desk.dialogs import MessageDialog, NoticeDialog, PaceDialog
from queues.models import Phase, Queue

OFFERED = {
    Phase.DRAFT: {"publish"},
    Phase.SCHEDULED: {"open_now", "pause", "close", "message", "pace"},
    Phase.LOBBY: {"open_now", "pause", "close", "message", "pace"},
    Phase.OPEN: {"pause", "close", "message", "pace", "notify"},
    Phase.PAUSED: {"resume", "close", "message", "pace", "notify"},
    Phase.SOLD_OUT: {"close"},
    Phase.CLOSED: set(),
}


class SaleDesk(SaleAdmin):
    """The sale run by hand: each button is offered where it makes sense, and asks before it acts."""

    about_sale = ("publish", "open_now", "pause", "resume", "close")
    about_line = ("message", "notify", "pace")

    def offered_actions(self, row: Queue) -> set[str]:
        return super().offered_actions(row) | OFFERED[row.phase(timezone.now())]

    @action(
        description=_("Publish"),
        permissions=["desk"],
        variant=ActionVariant.PRIMARY,
        dialog=ask(_("Publish this queue?"), _("Fans can see it; it opens at its time."), _("Publish")),
    )
    def publish(self, request: HttpRequest, form: forms.Form, object_id: str) -> HttpResponse:
        return self.carry_out(request, object_id, services.publish_queue, done=_("Published."))

    @action(
        description=_("Open now"),
        permissions=["desk"],
        variant=ActionVariant.PRIMARY,
        dialog=ask(
            _("Open the sale now?"),
            _("Fans can join at once, before the time announced. Open countdowns notice within a minute or so."),
            _("Open"),
        ),
    )
    def open_now(self, request: HttpRequest, form: forms.Form, object_id: str) -> HttpResponse:
        return self.carry_out(request, object_id, services.open_queue, done=_("Open."))

    @action(
        description=_("Pause"),
        permissions=["desk"],
        variant=ActionVariant.WARNING,
        dialog=ask(
            _("Pause letting in?"),
            _("Fans can still join, and those inside can still buy; nobody else is let in until you resume."),
            _("Pause"),
        ),
    )
    def pause(self, request: HttpRequest, form: forms.Form, object_id: str) -> HttpResponse:
        return self.carry_out(request, object_id, services.pause_queue, done=_("Paused."))

    @action(
        description=_("Resume"),
        permissions=["desk"],
        variant=ActionVariant.PRIMARY,
        dialog=ask(_("Let fans in again?"), _("The line goes on where it stopped."), _("Resume")),
    )
    def resume(self, request: HttpRequest, form: forms.Form, object_id: str) -> HttpResponse:
        return self.carry_out(request, object_id, services.resume_queue, done=_("Resumed."))

    @action(
        description=_("Close"),
        permissions=["desk"],
        variant=ActionVariant.DANGER,
        dialog=ask(
            _("Close this queue for good?"),
            _("Everybody who still waits is sent away; those inside keep their time to buy. This cannot be undone."),
            _("Close the queue"),
        ),
    )
    def close(self, request: HttpRequest, form: forms.Form, object_id: str) -> HttpResponse:
        return self.carry_out(request, object_id, services.close_queue, done=_("Closed."))

    @action(
        description=_("Message to the line"),
        permissions=["desk"],
        dialog=ask(
            _("Message to the line"), _("It stands above everybody's place in line, at once."), _("Save"), MessageDialog
        ),
    )
    def message(self, request: HttpRequest, form: MessageDialog, object_id: str) -> HttpResponse:
        text = form.cleaned_data["text"]

        def act(queue: Queue) -> str:
            facts = {"before": services.change_message(queue, text=text) or "–", "text": text or "–"}
            return _t("Message to the line: “%(before)s” → “%(text)s”") % facts

        return self.carry_out_and_tell(request, object_id, act)

    @action(
        description=_("Write to all who wait"),
        permissions=["desk"],
        dialog=ask(
            _("Write to everyone who waits?"),
            _("Everyone who waits now is sent this e-mail, once. How far it has come is shown on this page."),
            _("Send"),
            NoticeDialog,
        ),
    )
    def notify(self, request: HttpRequest, form: NoticeDialog, object_id: str) -> HttpResponse:
        text = form.cleaned_data["text"]
        write = partial(services.notify_waiting, text=text, created_by=cast(User, request.user))
        done = _t("Everyone who waits is written to: “%(text)s”") % {"text": text}
        return self.carry_out(request, object_id, write, done=done)

    @action(
        description=_("Faster or slower"),
        permissions=["desk"],
        dialog=ask(
            _("How fast are fans let in?"),
            _("It counts from the next second on. Those inside stay inside."),
            _("Change"),
            PaceDialog,
        ),
    )
    def pace(self, request: HttpRequest, form: PaceDialog, object_id: str) -> HttpResponse:
        asked = form.pace()

        def act(queue: Queue) -> str:
            before = services.change_pace(queue, **asked)
            return _t("People let in a minute: %(rate)d → %(new_rate)d. Inside at once: %(cap)d → %(new_cap)d.") % {
                "rate": before.admission_rate_per_minute,
                "new_rate": asked["rate_per_minute"],
                "cap": before.max_concurrent_admissions,
                "new_cap": asked["most_inside"],
            }

        return self.carry_out_and_tell(request, object_id, act)
