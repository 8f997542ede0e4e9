from django.urls import path

from queues import api, views

app_name = "queues"

urlpatterns = [
    path("", views.event_list, name="events"),
    path("events/<slug:slug>/", views.event_detail, name="event"),
    path("api/v1/events/", api.EventsView.as_view(), name="api-events"),
    path("api/v1/events/<slug:slug>/", api.EventView.as_view(), name="api-event"),
    path("api/v1/queues/<slug:slug>/", api.QueueView.as_view(), name="api-queue"),
    path("api/v1/queues/<slug:slug>/board/", api.BoardView.as_view(), name="board"),
    path("api/v1/queues/<slug:slug>/availability/", api.AvailabilityView.as_view(), name="availability"),
    path("api/v1/queues/<slug:slug>/captcha/", api.CaptchaView.as_view(), name="captcha"),
]
