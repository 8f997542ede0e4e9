from celery import shared_task

from webhooks import services


@shared_task
def remove_old_facts() -> None:
    while services.remove_old_facts():
        pass
