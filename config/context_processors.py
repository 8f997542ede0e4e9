"""What every page's frame needs, without a query."""

from django.conf import settings
from django.http import HttpRequest


def site(request: HttpRequest) -> dict[str, bool | str]:
    """Tell templates whether this is a demo, and the address the site is known by.

    `page_url` is the page's own address without its query, for `og:url` and `rel="canonical"`.
    """
    return {"demo": settings.DEMO, "site_url": settings.SITE_URL, "page_url": f"{settings.SITE_URL}{request.path}"}
