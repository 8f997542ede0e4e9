"""Pages of second factors."""

from __future__ import annotations

from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from playwright.sync_api import expect

from accounts.models import User
from tests.journeys.sales import new_fan
from tests.journeys.stages.stage import sign_in_new_fan, stage
from tests.journeys.visitor import Visitor

PASSWORD = "correct horse battery"


def add_app(fan: User) -> None:
    TOTP.activate(fan, generate_totp_secret())
    RecoveryCodes.activate(fan)


def add_passkey(fan: User, name: str = "My phone") -> Authenticator:
    """Add a passkey that no device has: good enough to be listed."""
    return Authenticator.objects.create(user=fan, type="webauthn", data={"name": name, "credential": {}})


def go_confirmed(visitor: Visitor, path: str) -> None:
    """Go where somebody has to confirm first that it is them."""
    visitor.go(path)
    visitor.sees("Confirm that it is you")
    visitor.fill("Password", PASSWORD)
    visitor.press("Go on")


@stage
def security(visitor: Visitor) -> None:
    sign_in_new_fan(visitor)
    visitor.go("/account/2fa/")


@stage
def security_with_everything(visitor: Visitor) -> None:
    fan = sign_in_new_fan(visitor)
    add_app(fan)
    add_passkey(fan)
    visitor.go("/account/2fa/")


@stage
def app_to_set_up(visitor: Visitor) -> None:
    sign_in_new_fan(visitor)
    go_confirmed(visitor, "/account/2fa/totp/activate/")
    visitor.sees("Set up an authenticator app")


@stage
def app_not_set_up(visitor: Visitor) -> None:
    app_to_set_up(visitor)
    visitor.fill("Code that the app shows", "not it")
    visitor.press("Switch it on")
    expect(visitor.focused).to_contain_text("Please check what you entered.")


@stage
def app_to_switch_off(visitor: Visitor) -> None:
    add_app(sign_in_new_fan(visitor))
    go_confirmed(visitor, "/account/2fa/totp/deactivate/")
    visitor.sees("Switch the app off?")


@stage
def recovery_codes(visitor: Visitor) -> None:
    add_app(sign_in_new_fan(visitor))
    go_confirmed(visitor, "/account/2fa/recovery-codes/")
    visitor.sees("Recovery codes")


@stage
def recovery_codes_used_up(visitor: Visitor) -> None:
    fan = sign_in_new_fan(visitor)
    add_app(fan)
    codes = Authenticator.objects.get(user=fan, type="recovery_codes")
    codes.data["used_mask"] = 0b1111111111
    codes.save()
    go_confirmed(visitor, "/account/2fa/recovery-codes/")
    visitor.sees("Recovery codes")


@stage
def recovery_codes_to_make(visitor: Visitor) -> None:
    add_app(sign_in_new_fan(visitor))
    go_confirmed(visitor, "/account/2fa/recovery-codes/generate/")
    visitor.sees("Make new recovery codes?")


@stage
def passkeys(visitor: Visitor) -> None:
    fan = sign_in_new_fan(visitor)
    add_passkey(fan)
    add_passkey(fan, "The laptop in the kitchen, which everybody at home uses")
    visitor.go("/account/2fa/webauthn/")


@stage
def passkey_to_add(visitor: Visitor) -> None:
    sign_in_new_fan(visitor)
    go_confirmed(visitor, "/account/2fa/webauthn/add/")
    visitor.sees("Add a passkey")


@stage
def passkey_not_added(visitor: Visitor) -> None:
    passkey_to_add(visitor)
    # The address of this machine has no name.
    visitor.press("Add a passkey")
    expect(visitor.focused).to_contain_text("Passkeys need a secure address with a name")


@stage
def passkey_to_rename(visitor: Visitor) -> None:
    passkey = add_passkey(sign_in_new_fan(visitor))
    go_confirmed(visitor, f"/account/2fa/webauthn/keys/{passkey.pk}/edit/")
    visitor.sees("Rename a passkey")


@stage
def passkey_to_remove(visitor: Visitor) -> None:
    passkey = add_passkey(sign_in_new_fan(visitor))
    go_confirmed(visitor, f"/account/2fa/webauthn/keys/{passkey.pk}/remove/")
    visitor.sees("Remove this passkey?")


@stage
def second_step(visitor: Visitor) -> None:
    fan = new_fan()
    add_app(fan)
    visitor.go("/account/login/")
    visitor.fill("Email", fan.email)
    visitor.fill("Password", PASSWORD)
    visitor.press("Sign in")
    visitor.sees("The second step")


@stage
def second_step_refused(visitor: Visitor) -> None:
    second_step(visitor)
    visitor.fill("Code", "not it")
    visitor.press("Sign in")
    expect(visitor.focused).to_contain_text("Please check what you entered.")


@stage
def confirmed_by_code(visitor: Visitor) -> None:
    add_app(sign_in_new_fan(visitor))
    visitor.go("/account/2fa/reauthenticate/")
    visitor.sees("Confirm that it is you")
