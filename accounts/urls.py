from django.urls import path

from accounts import views

app_name = "accounts"

urlpatterns = [
    path("", views.mail, name="mail"),
    path("<int:pk>/", views.letter, name="letter"),
]
