"""The environment of a production: what it must choose, and nothing of a demo."""

import os
import subprocess
import sys
from pathlib import Path

from config.stack import PROJECT

PAYPAL = '{"card": ["payments.paypal.PaypalProvider", {"client_id": "id", "secret": "key", "endpoint": "https://a.example"}]}'


def chosen(folder: Path) -> dict[str, str]:
    """Return the variables that README names for a production whose files lie in the folder."""
    return {
        "DEMO": "0",
        "SECRET_KEY": "not so long as it could be, but long enough and known to tests alone",
        "ALLOWED_HOSTS": "127.0.0.1,tickets.example.com",
        "SITE_URL": "https://tickets.example.com",
        "DATABASE_URL": os.environ["DATABASE_URL"],
        "REDIS_URL": os.environ["REDIS_URL"],
        "EMAIL_URL": "smtp+tls://user:password@mail.example.com:587",
        "DEFAULT_FROM_EMAIL": "Tickets <tickets@example.com>",
        "MEDIA_ROOT": str(folder / "media"),
        "IDENTITY_ROOT": str(folder / "identity"),
        "STATIC_ROOT": str(folder / "static"),
        "PAYMENT_VARIANTS": PAYPAL,
    }


def manage(*arguments: str, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run a management command with these variables and none of the tests' own."""
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=PROJECT,
        env={"PATH": os.environ["PATH"], **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def with_static_files(folder: Path) -> dict[str, str]:
    """Collect the static files into the folder; returns the variables of that production."""
    environment = chosen(folder)
    collected = manage("collectstatic", "--no-input", environment=environment)
    assert collected.returncode == 0, collected.stderr
    return environment
