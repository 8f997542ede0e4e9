"""Passkeys in a real browser, made and kept by a device of the test's own, under the pages' own policy."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from allauth.mfa.models import Authenticator
from playwright.sync_api import Browser, CDPSession, expect

from accounts.models import Letter, User
from config.stack import Stack
from tests.journeys.axe import faults
from tests.journeys.sales import new_fan
from tests.journeys.stages.factors import PASSWORD, go_confirmed
from tests.journeys.visitor import Visitor, Watch

pytestmark = pytest.mark.browser


@pytest.fixture
def visitor(browser: Browser, stack: Stack) -> Iterator[Visitor]:
    """Return somebody at an address with a name: a passkey belongs to one."""
    url = stack.url.replace("127.0.0.1", "localhost")
    watch = Watch(browser.new_context(base_url=url), url)
    yield Visitor(watch.context.new_page())
    assert watch.finish() == []


@pytest.fixture
def device(visitor: Visitor) -> CDPSession:
    """Give the visitor's device a reader of fingers; who touches it is its owner."""
    session = visitor.page.context.new_cdp_session(visitor.page)
    session.send("WebAuthn.enable")
    return session


def add_reader(device: CDPSession, *, finger: str = "owner's") -> str:
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": finger == "owner's",
        "automaticPresenceSimulation": True,
    }
    made = device.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    return str(made["authenticatorId"])


def give_password(visitor: Visitor, fan: User) -> None:
    visitor.go("/account/login/?next=/tickets/")
    visitor.fill("Email", fan.email)
    visitor.fill("Password", PASSWORD)
    visitor.press("Sign in")


def sign_out(visitor: Visitor) -> None:
    visitor.page.context.clear_cookies()


def fan_with_passkey(visitor: Visitor) -> User:
    """Sign a new fan in by password, and add a passkey; it is called Thumb."""
    fan = new_fan()
    give_password(visitor, fan)
    visitor.sees("My tickets")
    go_confirmed(visitor, "/account/2fa/webauthn/add/")
    visitor.fill("Name", "Thumb")
    visitor.press("Add a passkey")
    visitor.sees("Recovery codes")
    return fan


def passkeys(fan: User) -> list[str]:
    return [str(one) for one in Authenticator.objects.filter(user=fan, type="webauthn").order_by("pk")]


def test_passkey_signs_in_by_itself(visitor: Visitor, device: CDPSession):
    add_reader(device)
    fan = fan_with_passkey(visitor)
    assert passkeys(fan) == ["Thumb"]
    assert Letter.objects.filter(to=fan.email).latest("pk").subject == "Passkey added"
    sign_out(visitor)

    visitor.go("/account/login/?next=/tickets/")
    visitor.press("Sign in with a passkey")

    visitor.sees("My tickets")
    assert visitor.path == "/tickets/"


def test_passkey_is_the_second_step_after_a_password(visitor: Visitor, device: CDPSession):
    add_reader(device)
    fan = fan_with_passkey(visitor)
    sign_out(visitor)
    give_password(visitor, fan)
    visitor.sees("The second step")
    assert faults(visitor.page) == []

    visitor.press("Use a passkey")

    visitor.sees("My tickets")


def test_passkey_confirms_that_it_is_you(visitor: Visitor, device: CDPSession):
    add_reader(device)
    fan = fan_with_passkey(visitor)
    sign_out(visitor)
    give_password(visitor, fan)
    visitor.press("Use a passkey")
    visitor.sees("My tickets")
    visitor.go("/account/2fa/recovery-codes/")
    visitor.sees("Confirm that it is you")
    visitor.press("Use a passkey")
    visitor.page.wait_for_url("**/webauthn/reauthenticate/**")
    assert faults(visitor.page) == []

    visitor.press("Use a passkey")

    visitor.sees("Recovery codes")


def test_passkey_is_renamed_and_removed(visitor: Visitor, device: CDPSession):
    add_reader(device)
    fan = fan_with_passkey(visitor)
    visitor.go("/account/2fa/webauthn/")
    visitor.press("Rename Thumb")
    visitor.fill("Name", "Left thumb")
    visitor.press("Save the name")
    visitor.sees("Passkeys")
    assert passkeys(fan) == ["Left thumb"]

    visitor.press("Remove Left thumb")
    visitor.press("Remove it")

    visitor.sees("Passkeys")
    assert Authenticator.objects.filter(user=fan).count() == 0
    assert Letter.objects.filter(to=fan.email).latest("pk").subject == "Passkey removed"


def test_device_that_knows_nobody_s_finger_adds_nothing(visitor: Visitor, device: CDPSession):
    add_reader(device, finger="stranger's")
    fan = new_fan()
    give_password(visitor, fan)
    visitor.sees("My tickets")
    go_confirmed(visitor, "/account/2fa/webauthn/add/")

    visitor.press("Add a passkey")

    expect(visitor.focused).to_have_text("Your browser gave no passkey. Please try again.")
    assert passkeys(fan) == []


def test_device_is_not_added_twice(visitor: Visitor, device: CDPSession):
    add_reader(device)
    fan = fan_with_passkey(visitor)
    visitor.go("/account/2fa/webauthn/add/")

    visitor.press("Add a passkey")

    expect(visitor.focused).to_have_text("This device has a passkey for your account already.")
    assert passkeys(fan) == ["Thumb"]


def test_removed_passkey_signs_nobody_in(visitor: Visitor, device: CDPSession):
    add_reader(device)
    fan = fan_with_passkey(visitor)
    Authenticator.objects.filter(user=fan).delete()
    sign_out(visitor)
    visitor.go("/account/login/")

    visitor.press("Sign in with a passkey")

    expect(visitor.page.locator("main [role=status]")).to_contain_text("That is not right")
    visitor.go("/tickets/")
    visitor.sees("Sign in")
