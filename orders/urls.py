from django.urls import path

from orders import api, views

app_name = "orders"

urlpatterns = [
    path("queues/<slug:slug>/", views.journey, name="journey"),
    path("queues/<slug:slug>/ready/", views.ready, name="ready"),
    path("queues/<slug:slug>/join/", views.join, name="join"),
    path("queues/<slug:slug>/claim/", views.claim, name="claim"),
    path("queues/<slug:slug>/leave/", views.leave, name="leave"),
    path("queues/<slug:slug>/hold/", views.hold, name="hold"),
    path("orders/<slug:code>/", views.order_detail, name="detail"),
    path("orders/<slug:code>/pay/", views.pay, name="pay"),
    path("orders/<slug:code>/payment/", views.payment, name="payment"),
    path("orders/<slug:code>/return/", views.return_from_payment, name="return"),
    path("orders/<slug:code>/cancel-payment/", views.cancel_payment, name="cancel-payment"),
    path("orders/<slug:code>/give-back/", views.give_back, name="give-back"),
    path("account/data/", views.your_data, name="your-data"),
    path("account/data/download/", views.download_data, name="download-data"),
    path("account/close/", views.close_account, name="close-account"),
    path("tickets/", views.my_tickets, name="tickets"),
    path("tickets/<uuid:public_id>/", views.ticket, name="ticket"),
    path("api/v1/orders/", api.OrdersView.as_view(), name="api-orders"),
    path("api/v1/orders/<slug:code>/", api.OrderView.as_view(), name="api-order"),
    path("api/v1/orders/<slug:code>/pay/", api.PayView.as_view(), name="api-pay"),
    path("api/v1/orders/<slug:code>/cancel-payment/", api.CancelPaymentView.as_view(), name="api-cancel-payment"),
    path("api/v1/tickets/", api.TicketsView.as_view(), name="api-tickets"),
    path("api/v1/tickets/<uuid:public_id>/", api.TicketView.as_view(), name="api-ticket"),
    path("api/v1/queues/<slug:slug>/ready/", api.ReadyView.as_view(), name="api-ready"),
    path("api/v1/queues/<slug:slug>/join/", api.JoinView.as_view(), name="api-join"),
    path("api/v1/queues/<slug:slug>/journey/", api.JourneyView.as_view(), name="api-journey"),
    path("api/v1/queues/<slug:slug>/claim/", api.ClaimView.as_view(), name="api-claim"),
    path("api/v1/queues/<slug:slug>/leave/", api.LeaveView.as_view(), name="api-leave"),
]
