from django.conf import settings
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme, urlencode
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from accounts import services
from accounts.forms import IdentityForm
from accounts.models import Letter
from accounts.patience import patiently
from accounts.refusals import Refusal
from accounts.requests import SignedInRequest

# A visitor of the demo looks for the letter that has just been written.
LETTERS_SHOWN = 50


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def identity(request: SignedInRequest) -> HttpResponse:
    """Show where the fan's identity check stands, and take name and photo in while there is something to send."""
    if request.method != "POST":
        return _identity_page(request, IdentityForm(initial={"legal_name": request.user.name}))
    form = IdentityForm(request.POST, request.FILES)
    if not form.is_valid():
        return _identity_page(request, form, status=400)
    try:
        patiently(services.submit_identity, request.user, **form.cleaned_data)
    except Refusal as refusal:
        return _identity_page(request, form, refusal=refusal)
    way_on = _way_on(request)
    query = f"?{urlencode({REDIRECT_FIELD_NAME: way_on})}" if way_on else ""
    return redirect(reverse("accounts:identity") + query)


def _identity_page(
    request: SignedInRequest, form: IdentityForm, *, refusal: Refusal | None = None, status: int | None = None
) -> HttpResponse:
    context = {
        "form": form,
        "refusal": refusal,
        "check": services.find_identity_check(request.user),
        "is_instant": settings.IDENTITY_PROVIDER == "instant",
        "way_on": _way_on(request),
    }
    return TemplateResponse(request, "accounts/identity.html", context, status=status)


def _way_on(request: HttpRequest) -> str:
    """Return where the fan came from and wants to go on, if that is a page of ours."""
    given = request.POST.get(REDIRECT_FIELD_NAME) or request.GET.get(REDIRECT_FIELD_NAME) or ""
    is_ours = url_has_allowed_host_and_scheme(given, {request.get_host()}, require_https=request.is_secure())
    return given if is_ours else ""


@require_safe
def mail(request: HttpRequest) -> HttpResponse:
    """Show the newest letters of a demo, whoever they are to, but for its own crowd."""
    _require_demo()
    letters = Letter.objects.exclude(to__endswith=f"@{settings.DEMO_CROWD_DOMAIN}").order_by("-pk")[:LETTERS_SHOWN]
    return render(request, "accounts/mail_list.html", {"letters": letters})


@require_safe
def letter(request: HttpRequest, pk: int) -> HttpResponse:
    """Show one letter of a demo, its links ready to be followed."""
    _require_demo()
    return render(request, "accounts/mail_detail.html", {"letter": get_object_or_404(Letter, pk=pk)})


def _require_demo() -> None:
    if not settings.DEMO:
        raise Http404("There is no mail to see outside a demo.")
