"""Every address of Fairline, on one page."""

from django.conf import settings
from django.conf.urls.static import static
from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("", include("events.urls")),
    path("", include("queues.urls")),
    path("", include("orders.urls")),
    path("", include("accounts.urls")),
    path("account/", include("allauth.account.urls")),
    path("payments/", include("payments.urls")),
    path("admin/", admin.site.urls),
    *static(settings.MEDIA_URL, document_root=settings.MEDIA_ROOT),
]
