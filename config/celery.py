"""The Celery app and the whole timetable.

Every entry is a sweep: it asks the database what is due, does it and remembers nothing. A message expires
before the next one is sent, so that a worker that was away does not find a heap of old ones.
"""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("fairline")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


def every(seconds: float, task: str) -> dict:
    return {"task": task, "schedule": seconds, "options": {"expires": seconds}}


app.conf.beat_schedule = {
    "tick queues": every(1, "queues.tasks.tick_queues"),
    "mark sold out queues": every(1, "queues.tasks.mark_sold_out_queues"),
    "reopen restocked queues": every(2, "queues.tasks.reopen_restocked_queues"),
    "free waiting fans": every(1, "queues.tasks.free_waiting_fans"),
    "remove expired solutions": every(60, "queues.tasks.remove_expired_solutions"),
    "tell waiting fans": every(2, "queues.tasks.tell_waiting_fans"),
    "expire lapsed orders": every(1, "orders.tasks.expire_lapsed_orders"),
    "settle confirmed payments": every(2, "orders.tasks.settle_confirmed_payments"),
    "refund unplaced payments": every(5, "orders.tasks.refund_unplaced_payments"),
    "tell buyers of cancelled events": every(10, "orders.tasks.tell_buyers_of_cancelled_events"),
    "remove decided photos": every(30, "accounts.tasks.remove_decided_photos"),
    "remove orphaned photos": every(600, "accounts.tasks.remove_orphaned_photos"),
    "refuse overdue identity checks": every(600, "accounts.tasks.refuse_overdue_identity_checks"),
    "remove expired answers": every(600, "accounts.tasks.remove_expired_answers"),
    "remove old facts": every(600, "webhooks.tasks.remove_old_facts"),
    "send queued letters": every(2, "accounts.tasks.send_queued_letters"),
}
