from django.urls import path

from accounts import views

app_name = "accounts"

urlpatterns = [
    path("account/identity/", views.identity, name="identity"),
    path("mail/", views.mail, name="mail"),
    path("mail/<int:pk>/", views.letter, name="letter"),
]
