"""Every address of Fairline, on one page."""

from django.conf import settings
from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path
from django.views.defaults import page_not_found
from django.views.generic import RedirectView
from django.views.static import serve

from config import reference

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("events.urls")),
    path("", include("queues.urls")),
    path("", include("orders.urls")),
    path("", include("accounts.urls")),
    path("account/2fa/", include("allauth.mfa.urls")),
    path("account/", include("allauth.account.urls")),
    path("api/", RedirectView.as_view(pattern_name="docs")),
    path("api/v1/", RedirectView.as_view(pattern_name="docs")),
    path("api/schema/", reference.schema, name="schema"),
    path("api/docs/", reference.try_it, name="docs"),
    path("api/refusals/", reference.refusals, name="refusals"),
    path("_allauth/app/v1/", include("accounts.headless.urls")),
    path("payments/", include("payments.urls")),
    # The admin's way from any row's number to its page tells every organizer everybody's confirmation numbers.
    path("admin/r/<path:exception>", page_not_found),
    path("admin/", admin.site.urls),
]

if settings.DEMO:
    # Elsewhere the web server in front serves what was uploaded.
    urlpatterns.append(path("media/<path:path>", serve, {"document_root": settings.MEDIA_ROOT}))

handler400 = "config.middleware.answer_to_unreadable"
handler404 = "config.middleware.answer_to_missing"
handler500 = "config.middleware.answer_to_failure"
