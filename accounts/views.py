from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from accounts.models import Letter

# A visitor of the demo looks for the letter that has just been written.
LETTERS_SHOWN = 50


@require_safe
def mail(request: HttpRequest) -> HttpResponse:
    """Show the newest letters of a demo, whoever they are to."""
    _require_demo()
    letters = Letter.objects.order_by("-pk")[:LETTERS_SHOWN]
    return render(request, "accounts/mail_list.html", {"letters": letters})


@require_safe
def letter(request: HttpRequest, pk: int) -> HttpResponse:
    """Show one letter of a demo, its links ready to be followed."""
    _require_demo()
    return render(request, "accounts/mail_detail.html", {"letter": get_object_or_404(Letter, pk=pk)})


def _require_demo() -> None:
    if not settings.DEMO:
        raise Http404("There is no mail to see outside a demo.")
