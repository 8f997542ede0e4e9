from django.urls import path

from events import api, views

app_name = "events"

urlpatterns = [
    path("events/<slug:slug>.ics", views.calendar, name="calendar"),
    path("api/v1/events/<slug:slug>/availability/", api.AvailabilityView.as_view(), name="availability"),
]
