"""An endpoint that creates something else each time it is asked, and one that creates nothing."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.http import HttpResponse
from django.urls import path
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.response import Response
from rest_framework.views import APIView

import config.urls
from accounts.repeats import Repeatable
from tests.factories import LetterFactory


class LettersView(Repeatable):
    """Not once by itself: each call writes another letter."""

    permission_classes = [AllowAny]

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def post(self, request: Any) -> HttpResponse:
        return self.create_once(
            partial(LetterFactory, subject=request.data["subject"]),
            lambda letter: Response({"id": letter.pk, "subject": letter.subject}, 201, headers={"Location": "/a/"}),
        )


class PlainView(APIView):
    """No endpoint that creates."""

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def post(self, request: Any) -> Response:
        return Response({})


urlpatterns = [
    path("api/v1/letters/", LettersView.as_view()),
    path("api/v1/notes/", LettersView.as_view()),
    *config.urls.urlpatterns,
]
