from django.urls import path

from queues import api, views

app_name = "queues"

urlpatterns = [
    path("", views.event_list, name="events"),
    path("events/<slug:slug>/", views.event_detail, name="event"),
    path("api/v1/queues/<slug:slug>/board/", api.board, name="board"),
    path("api/v1/queues/<slug:slug>/availability/", api.availability, name="availability"),
    path("api/v1/queues/<slug:slug>/captcha/", api.captcha, name="captcha"),
]
