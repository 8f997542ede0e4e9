"""Settings that stop the start when they are wrong."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured
from environ import Env

from config import environment
from config.stack import PROJECT
from tests.config.production import chosen, manage


def start(**environment: str) -> subprocess.CompletedProcess[str]:
    """Read the settings in a process of their own."""
    return subprocess.run(
        [sys.executable, "-c", "from config import settings; print(settings.IDENTITY_PROVIDER)"],
        cwd=PROJECT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("demo", ["0", "1"])
def test_passkeys_from_a_place_without_https_are_taken_in_a_demo_only(tmp_path: Path, demo: str):
    told = manage(
        "shell",
        "--no-imports",
        "-c",
        "from allauth.mfa import app_settings; print(app_settings.WEBAUTHN_ALLOW_INSECURE_ORIGIN)",
        environment={**chosen(tmp_path), "DEMO": demo},
    )

    assert told.stdout == f"{demo == '1'}\n"


@pytest.mark.parametrize("provider", ["manual", "instant"])
def test_identity_provider_is_one_of_two(provider: str):
    assert start(IDENTITY_PROVIDER=provider).stdout == f"{provider}\n"


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({"IDENTITY_PROVIDER": "none"}, "IDENTITY_PROVIDER=none is not known: set it to manual or instant."),
        ({"IDENTITY_PROVIDER": ""}, "IDENTITY_PROVIDER= is not known: set it to manual or instant."),
        (
            {"IDENTITY_PROVIDER": "instant", "DEMO": "0", "SITE_URL": "https://tickets.example.com"},
            "IDENTITY_PROVIDER=instant checks nobody",
        ),
        ({"MEDIA_ROOT": "/srv/media", "IDENTITY_ROOT": "/srv/media/identity"}, "lies in MEDIA_ROOT"),
        ({"MEDIA_ROOT": "/srv/media", "IDENTITY_ROOT": "/srv/media"}, "lies in MEDIA_ROOT"),
    ],
)
def test_wrong_identity_settings_stop_the_start(environment: dict[str, str], words: str):
    started = start(**environment)

    assert (started.returncode, started.stdout) == (1, "")
    assert words in started.stderr


@pytest.mark.parametrize(
    ("given", "origins"),
    [
        ("", []),
        (" , ", []),
        ("https://app.example.com", ["https://app.example.com"]),
        (" https://App.example.com , https://b.example:8443,", ["https://app.example.com", "https://b.example:8443"]),
    ],
)
def test_sites_that_may_call_the_api_are_listed(monkeypatch: pytest.MonkeyPatch, given: str, origins: list[str]):
    monkeypatch.setenv("API_ALLOWED_ORIGINS", given)

    assert environment.allowed_origins(Env(), demo=False) == origins


def test_no_site_may_call_the_api_unless_it_is_listed(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("API_ALLOWED_ORIGINS", raising=False)

    assert environment.allowed_origins(Env(), demo=False) == []


def test_site_without_https_may_call_the_api_of_a_demo_only(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("API_ALLOWED_ORIGINS", "http://localhost:3000")

    assert environment.allowed_origins(Env(), demo=True) == ["http://localhost:3000"]
    with pytest.raises(ImproperlyConfigured, match="http://localhost:3000 does not do: give the addresses"):
        environment.allowed_origins(Env(), demo=False)


@pytest.mark.parametrize(
    "origin",
    [
        "*",
        "null",
        "app.example.com",
        "https://",
        "https://app.example.com/",
        "https://app.example.com/path",
        "https://*.example.com",
        "https://user@app.example.com",
        "https://app.example.com:port",
        "ftp://app.example.com",
    ],
)
def test_what_is_no_site_stops_the_start(origin: str):
    started = start(API_ALLOWED_ORIGINS=f"https://ours.example,{origin}")

    assert (started.returncode, started.stdout) == (1, "")
    assert f"API_ALLOWED_ORIGINS: {origin} does not do: give the addresses of other sites" in started.stderr
