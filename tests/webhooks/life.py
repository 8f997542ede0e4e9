"""A small sale from beginning to end, in which everything happens that can be told."""

from django.db.models import F
from django.utils import timezone

from accounts.models import User
from events.models import Tier
from orders import services, tasks
from orders.models import Order, Payment
from queues import admittance
from queues import services as queue_services
from queues.models import Admission, Queue


def confirm(payment: Payment) -> Payment:
    Payment.objects.filter(pk=payment.pk).update(status="confirmed", captured_amount=payment.total)
    payment.refresh_from_db()
    return payment


def lapse(order: Order) -> None:
    Order.objects.filter(pk=order.pk).update(hold_ends_at=timezone.now())
    services.expire_order(order)


def live_a_life(queue: Queue, ben: User, cleo: User) -> None:
    """Let one fan buy, another be late with money that finds nothing, and the queue sell out."""
    for fan in (ben, cleo):
        queue_services.join_queue(queue, fan)
    Queue.objects.update(admission_rate_per_minute=6000)
    queue_services.admit_due_fans(queue.pk)
    payments = []
    for turn in Admission.objects.admitted().in_line_order():
        assert turn.user is not None
        held = services.hold_tickets(user=turn.user, token=admittance.token_for(turn), wanted={"floor": 1})
        payments.append(services.start_payment(held, holders=["Somebody"], email=""))
    services.settle_payment(confirm(payments[0]))
    lapse(payments[1].order)
    Tier.objects.update(sold_count=F("quantity"))
    queue_services.mark_sold_out(queue.pk)
    services.settle_payment(confirm(payments[1]))
    tasks.refund_unplaced_payments()


LIFE = [
    "admission.created",
    "admission.created",
    "admission.admitted",
    "admission.admitted",
    "admission.completed",
    "order.paid",
    "admission.expired",
    "queue.sold_out",
    "order.refunded",
]
