"""What the dialogs about a running sale ask for."""

from collections.abc import Mapping
from typing import Any, ClassVar

from django import forms
from django.contrib.admin.utils import unquote
from django.utils.translation import gettext_lazy as _
from unfold.forms import BaseDialogForm
from unfold.widgets import UnfoldAdminIntegerFieldWidget, UnfoldAdminTextareaWidget

from queues.models import Queue
from queues.notices import TEXT_LENGTH

# As large as the columns.
MOST = 2_147_483_647


class QueueDialog(BaseDialogForm):
    """A dialog that begins with how the queue stands; whose queue it is has been asked before."""

    columns: ClassVar[Mapping[str, str]] = {}

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        queue = Queue.objects.get(pk=unquote(str(self.object_id)))
        for name, column in self.columns.items():
            self.fields[name].initial = getattr(queue, column)


class MessageDialog(QueueDialog):
    """What stands above everybody's place in line."""

    columns = {"text": "message"}

    text = forms.CharField(
        label=_("Message"),
        max_length=Queue.MESSAGE_LENGTH,
        required=False,
        help_text=_("Leave it empty to take the message away."),
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
    )

    def clean_text(self) -> str:
        """It stands on one line."""
        return " ".join(self.cleaned_data["text"].split())


class PaceDialog(QueueDialog):
    """How fast fans are let in, and how many may be inside."""

    columns = {"rate_per_minute": "admission_rate_per_minute", "most_inside": "max_concurrent_admissions"}

    rate_per_minute = forms.IntegerField(
        label=_("People let in a minute"), min_value=1, max_value=MOST, widget=UnfoldAdminIntegerFieldWidget
    )
    most_inside = forms.IntegerField(
        label=_("People inside at once"),
        min_value=1,
        max_value=MOST,
        help_text=_("Fewer than are inside now puts nobody out: nobody else is let in until there is room."),
        widget=UnfoldAdminIntegerFieldWidget,
    )

    def pace(self) -> dict[str, int]:
        """Return what was asked for, without the dialog's own fields."""
        return {name: self.cleaned_data[name] for name in self.columns}


class NoticeDialog(BaseDialogForm):
    """A letter to everyone who waits."""

    text = forms.CharField(
        label=_("Text of the e-mail"),
        max_length=TEXT_LENGTH,
        help_text=_("A greeting stands before it, and the way to the fan's place in line after it."),
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 6}),
    )
