from django.apps import AppConfig
from django.core.checks import register

from config.checks import check_payment_providers, check_static_files


class ConfigConfig(AppConfig):
    name = "config"

    def ready(self) -> None:
        register(check_static_files, deploy=True)
        register(check_payment_providers, deploy=True)
