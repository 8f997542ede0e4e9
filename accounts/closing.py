"""The end of an account: nobody signs in to it any more, and what has to be kept no longer says whose it was."""

from __future__ import annotations

import re
from collections.abc import Collection
from functools import partial

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.contrib.admin.models import LogEntry
from django.contrib.auth.hashers import make_password
from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.db.models import Case, F, Func, Q, Value, When
from django.db.models.functions import Now
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _

from accounts import locks, photos
from accounts.models import CLOSED_DOMAIN, IdentityCheck, KeptAnswer, Letter, User
from accounts.refusals import Refusal


class AccountClosed(Refusal):
    message = _("This account is closed.")


class AccountOfStaff(Refusal):
    message = _(
        "You work for an organiser with this account, and what staff do stays on record. "
        "Ask an owner to remove you first; then you can close it."
    )


def check_is_open(user: User) -> None:
    """Refuse what is begun in the name of an account that has been closed meanwhile, by its row.

    Raises:
        AccountClosed
    """
    if User.objects.filter(pk=user.pk, closed_at__isnull=False).exists():
        raise AccountClosed


def keep_open(user: User) -> None:
    """Keep the account from being closed until the transaction ends; before any row is locked, as closing does.

    Raises:
        AccountClosed
    """
    locks.share_account(user.pk)
    check_is_open(user)


def check_is_no_staff(user: User) -> None:
    """Raises:
    AccountOfStaff: an organizer's or the platform's; the audit log names them.
    """
    if User.objects.filter(Q(is_staff=True) | Q(memberships__isnull=False), pk=user.pk).exists():
        raise AccountOfStaff


def anonymous_address(user: User) -> str:
    """Return what stands for the address of a closed account: unique, and no letter ever arrives there.

    Nobody can guess it, and keep the account from being closed by having it already.
    """
    digest = salted_hmac("accounts.closing", str(user.pk)).hexdigest()[:16]
    return f"closed-{user.pk}-{digest}@{CLOSED_DOMAIN}"


def addresses_of(user: User) -> set[str]:
    """Return every address that is proved to be the account's; one that was only typed may be anybody's."""
    proved = EmailAddress.objects.filter(user=user, verified=True).values_list("email", flat=True)
    login = User.objects.filter(pk=user.pk, email_verified_at__isnull=False).values_list("email", flat=True)
    return {*proved, *login}


def _typed_addresses_of(user: User) -> set[str]:
    """Return the addresses that were typed for the account, and are no other account's login."""
    pending = EmailAddress.objects.filter(user=user).values_list("email", flat=True)
    typed = {User.objects.values_list("email", flat=True).get(pk=user.pk), *pending} - addresses_of(user)
    return typed.difference(User.objects.filter(email__in=typed).exclude(pk=user.pk).values_list("email", flat=True))


def letters_to(user: User, *, numbers: Collection[str] = (), contacts: Collection[str] = ()) -> Q:
    """Return which letters were written to a person.

    All to the account's proved addresses. To others, the requests to prove them, and to the login what the account was
    told. Of those to `contacts`, which may be somebody else's, too, only the ones that name one of the person's
    confirmation `numbers`.
    """
    about = Q()
    for number in numbers:
        about |= Q(text__contains=number)
    login, joined_at = User.objects.values_list("email", "date_joined").get(pk=user.pk)
    asked = Q(to__in=_typed_addresses_of(user), kind=Letter.Kind.VERIFICATION)
    told = Q(to=login, kind=Letter.Kind.NOTICE, created_at__gte=joined_at)
    found = Q(to__in=addresses_of(user)) | asked | told
    return found | (Q(to__in=contacts) & about) if numbers and contacts else found


def erase_person(user: User, *, letters: Q) -> None:
    """Take away who it was: a step of the transaction that closes the account, which has the account's lock.

    `letters` are those of `letters_to`: they lose their address and text, and the ones still waiting do not go out.
    """
    _erase_log(Letter, Letter.objects.filter(letters).values_list("pk", flat=True), anonymous_address(user))
    for address in addresses_of(user):
        _erase_from_log(address, called=anonymous_address(user))
    Letter.objects.filter(letters).update(
        to=anonymous_address(user),
        text="",
        html="",
        last_error="",
        leased_until=None,
        status=Case(When(status=Letter.Status.QUEUED, then=Value(Letter.Status.WITHDRAWN.value)), default=F("status")),
    )
    _erase_identity_checks(user)
    _erase_log(User, [user.pk], anonymous_address(user))
    EmailAddress.objects.filter(user=user).delete()
    Authenticator.objects.filter(user=user).delete()
    KeptAnswer.objects.for_account(user.pk).delete()
    # Without its old password no session of the account is good any more.
    User.objects.filter(pk=user.pk).update(
        email=anonymous_address(user),
        name="",
        password=make_password(None),
        is_active=False,
        email_verified_at=None,
        identity_verified_at=None,
        last_login=None,
        closed_at=Now(),
    )


def _erase_identity_checks(user: User) -> None:
    checks = IdentityCheck.objects.for_fan(user)
    for name in checks.exclude(photo="").values_list("photo", flat=True):
        # After the commit; should this process end before, the sweep over orphans finds the file.
        transaction.on_commit(partial(photos.remove, name), robust=True)
    _erase_log(IdentityCheck, checks.values_list("pk", flat=True), anonymous_address(user))
    checks.delete()


def _erase_log(model: type[User | IdentityCheck | Letter], pks: Collection[int], called: str) -> None:
    """Take names and addresses out of what the audit log says of these rows; that something was done, it still says."""
    kind = ContentType.objects.get_for_model(model)
    entries = LogEntry.objects.filter(content_type=kind, object_id__in=[str(pk) for pk in pks])
    entries.update(object_repr=called, change_message="")


def _erase_from_log(address: str, *, called: str) -> None:
    """Take an address out of what the audit log says of rows that are not the person's, as of a list of guests.

    The log is read to its end for it: an account is closed once.
    """
    # Not where it is a part of another address.
    pattern = rf"(?<![\w.+-]){re.escape(address)}(?![\w-]|\.\w)"
    erased = Func(F("change_message"), Value(pattern), Value(called), Value("gi"), function="regexp_replace")
    LogEntry.objects.filter(change_message__icontains=address).update(change_message=erased)
