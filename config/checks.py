"""What `manage.py check --deploy` looks at besides Django's own list."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error
from django.utils.module_loading import import_string

from config.files import HashedStaticFiles


def check_static_files(app_configs: Sequence[AppConfig] | None, **options: Any) -> list[CheckMessage]:
    """Complain where pages would look for hashed files that nobody has collected."""
    if not issubclass(import_string(settings.STORAGES["staticfiles"]["BACKEND"]), HashedStaticFiles):
        return []
    if Path(settings.STATIC_ROOT, HashedStaticFiles.manifest_name).exists():
        return []
    return [
        Error(f"There are no static files in {settings.STATIC_ROOT}: run manage.py collectstatic.", id="fairline.E001")
    ]


def check_payment_providers(app_configs: Sequence[AppConfig] | None, **options: Any) -> list[CheckMessage]:
    """Complain about a provider of payments that cannot be made."""
    return [
        Error(f"PAYMENT_VARIANTS: {name} does not work: {problem}", id="fairline.E002")
        for name, (path, facts) in settings.PAYMENT_VARIANTS.items()
        if (problem := _problem_of(path, facts))
    ]


def _problem_of(path: str, options: dict[str, Any]) -> str:
    try:
        import_string(path)(**options)
    except Exception as error:  # noqa: BLE001 - whatever a provider raises, the person who deploys should read
        return f"{type(error).__name__}: {error}"
    return ""
