from django.urls import path

from orders import views

app_name = "orders"

urlpatterns = [
    path("queues/<slug:slug>/", views.journey, name="journey"),
    path("queues/<slug:slug>/join/", views.join, name="join"),
    path("queues/<slug:slug>/claim/", views.claim, name="claim"),
    path("queues/<slug:slug>/leave/", views.leave, name="leave"),
    path("queues/<slug:slug>/hold/", views.hold, name="hold"),
    path("orders/<str:code>/", views.order_detail, name="detail"),
    path("orders/<str:code>/pay/", views.pay, name="pay"),
    path("orders/<str:code>/payment/", views.payment, name="payment"),
    path("orders/<str:code>/return/", views.return_from_payment, name="return"),
    path("orders/<str:code>/cancel-payment/", views.cancel_payment, name="cancel-payment"),
    path("orders/<str:code>/give-back/", views.give_back, name="give-back"),
    path("tickets/", views.my_tickets, name="tickets"),
    path("tickets/<uuid:public_id>/", views.ticket, name="ticket"),
]
