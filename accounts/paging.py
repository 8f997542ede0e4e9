"""The pages of a list, for programs."""

from rest_framework.pagination import CursorPagination


class ByCursor(CursorPagination):
    """Leads on from the last row that was seen, so that what is added meanwhile shifts nothing.

    A list says its order as `ordering`; it ends with `pk`, so that no two rows have the same place.
    """

    page_size = 50
    page_size_query_param = "page_size"
    max_page_size = 100
