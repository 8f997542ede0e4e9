"""What can happen to people and their letters."""

import logging
import time
from datetime import UTC, datetime, timedelta
from smtplib import SMTPDataError, SMTPRecipientsRefused
from typing import TYPE_CHECKING

from allauth.account.models import EmailAddress
from allauth.mfa import app_settings as mfa_settings
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.core.cache import cache
from django.core.files import File
from django.core.mail import EmailMultiAlternatives
from django.core.mail.backends.base import BaseEmailBackend
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts import closing, locks, mailbox, photos
from accounts.models import IdentityCheck, Letter, User
from accounts.refusals import Refusal

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

log = logging.getLogger(__name__)

# After each failed attempt the next one waits this long, and then as long as the last.
RETRY_AFTER = [timedelta(seconds=s) for s in (5, 30, 120, 600, 3600)]
# Five days of trying every hour, as mail servers do among themselves; then a person has to look.
GIVE_UP_AFTER_ATTEMPTS = 120
# A lease that ends while its letter is still going out would send it twice. A server may take EMAIL_TIMEOUT
# over each of the ten answers of a conversation.
ANSWERS_IN_A_LEASE = 12
# Unpacking a photo keeps a web server busy for up to a second or two.
PHOTOS_AT_MOST = 10
PHOTOS_SECONDS = 3600


class EmailTaken(Refusal):
    message = _("Another account uses this e-mail address.")


class IdentityAlreadyVerified(Refusal):
    message = _("Your identity is verified already.")


class IdentityCheckPending(Refusal):
    message = _("We are looking at what you have sent already. We write to you when it is decided.")


class IdentityCheckDecided(Refusal):
    message = _("This identity check has been decided already.")


class TooManyPhotos(Refusal):
    """`facts["retry_after"]` says in how many seconds to come back."""

    def __init__(self) -> None:
        message = _("You have sent many photos in a short time. Please wait an hour and try again.")
        super().__init__(message, retry_after=PHOTOS_SECONDS)


class LetterErased(Refusal):
    message = _("Whoever this letter was to has closed the account: its address and text are gone.")


class NotPlatformStaff(Refusal):
    message = _("Only the platform's own staff decide about identities.")


@transaction.atomic
def mark_email_verified(user: User) -> None:
    """Take it as proved that `user` reads the mail of the account's present address."""
    # By the address too: whoever changed it meanwhile has proved nothing about the new one.
    if not User.objects.filter(pk=user.pk, email=user.email).update(email_verified_at=Now()):
        return
    EmailAddress.objects.filter(user=user).exclude(email=user.email).update(primary=False)
    EmailAddress.objects.update_or_create(user=user, email=user.email, defaults={"verified": True, "primary": True})


def change_email(user: User, *, email: str) -> EmailAddress:
    """Make `email` the account's login, not verified; forget every other address.

    Raises EmailTaken when another account has it, and AccountClosed; nothing is changed then.
    """
    email = email.strip().lower()
    try:
        with transaction.atomic():
            closing.keep_open(user)
            User.objects.filter(pk=user.pk).update(email=email, email_verified_at=None)
            EmailAddress.objects.filter(user=user).delete()
            address = EmailAddress.objects.create(user=user, email=email, primary=True)
    except IntegrityError as error:
        raise EmailTaken from error
    user.email, user.email_verified_at = email, None
    return address


def keep_password(user: User) -> None:
    """Write down the password that `user` has been given, and nothing else of the row.

    Raises:
        AccountClosed: nothing is changed.
    """
    # Read before the hashing, which takes a while: all else in `user` may be old by now.
    if not User.objects.filter(pk=user.pk, closed_at=None).update(password=user.password):
        raise closing.AccountClosed


def mark_identity_verified(user: User) -> None:
    """Take it as proved that `user` is who they say; a first proof keeps its time."""
    User.objects.filter(pk=user.pk, identity_verified_at=None).update(identity_verified_at=Now())


def find_identity_check(user: User) -> IdentityCheck | None:
    """Return the fan's latest check."""
    return IdentityCheck.objects.for_fan(user).order_by("-pk").first()


def submit_identity(user: User, *, legal_name: str, photo: File) -> IdentityCheck:
    """Take a fan's name and the photo of a document in, for the platform's staff to decide.

    What is kept of the photo is a new picture, without anything that was beside the pixels. With
    IDENTITY_PROVIDER=instant it is not kept at all, and the fan is approved at once.

    Raises:
        IdentityAlreadyVerified, IdentityCheckPending, AccountClosed
        TooManyPhotos, PhotoTooLarge, PhotoNotReadable
        Nothing is kept in any of these cases.
    """
    _check_may_submit(user)
    _count_photo(user)
    picture = photos.redraw(photo)
    is_instant = settings.IDENTITY_PROVIDER == "instant"
    name = "" if is_instant else photos.keep(picture)
    try:
        return (_submit_and_approve if is_instant else _submit)(user, legal_name, name)
    except IntegrityError:
        # The same fan sent it from elsewhere at the same instant. After any other failure the row may be there, so
        # that its photo has to stay; if it is not, the sweep over orphans finds it.
        photos.remove(name)
        _check_may_submit(user)
        raise


def _check_may_submit(user: User) -> None:
    if User.objects.filter(pk=user.pk, identity_verified_at__isnull=False).exists():
        raise IdentityAlreadyVerified
    if IdentityCheck.objects.for_fan(user).pending().exists():
        raise IdentityCheckPending


def _count_photo(user: User) -> None:
    """Count one more photo of the fan's last hour; without Redis they are not counted."""
    key = f"identity:photos:{user.pk}"
    cache.add(key, 0, PHOTOS_SECONDS)
    if (cache.incr(key) or 0) > PHOTOS_AT_MOST:
        raise TooManyPhotos


@transaction.atomic
def _submit(user: User, legal_name: str, photo: str) -> IdentityCheck:
    closing.keep_open(user)
    return IdentityCheck.objects.create(user=user, legal_name=" ".join(legal_name.split()), photo=photo)


@transaction.atomic
def _submit_and_approve(user: User, legal_name: str, photo: str) -> IdentityCheck:
    check = _submit(user, legal_name, photo)
    return _decide(check, IdentityCheck.Status.APPROVED, _("Approved at once: this is a demo."), None)


@transaction.atomic
def decide_identity(check: IdentityCheck, *, status: str, reason: str, by: User) -> IdentityCheck:
    """Approve or refuse a check, and tell the fan; `reason` is what the fan reads. The photo goes soon after.

    Raises:
        NotPlatformStaff: an organizer's staff never decide about somebody who buys from all.
        IdentityCheckDecided, AccountClosed
        Nothing is changed in any of these cases.
    """
    if not (by.is_active and by.is_staff and by.is_superuser):
        raise NotPlatformStaff
    closing.keep_open(check.user)
    check = IdentityCheck.objects.lock().select_related("user").get(pk=check.pk)
    if not check.is_pending:
        raise IdentityCheckDecided
    return _decide(check, status, reason, by)


@transaction.atomic
def refuse_next_overdue_identity_check() -> bool:
    """Refuse a check that nobody has decided while its photo may be kept; return False when there is none."""
    overdue = IdentityCheck.objects.overdue().select_related("user").order_by("pk")
    found = overdue.first()
    if found is None:
        return False
    locks.share_account(found.user_id)
    # Whoever decides it just now, or has closed its account, leaves the others to the next sweep.
    check = overdue.select_for_update(of=("self",), no_key=True, skip_locked=True).filter(pk=found.pk).first()
    if check is not None:
        reason = _("We did not get to it in time, and keep no photo any longer. Please send it again.")
        _decide(check, IdentityCheck.Status.REFUSED, reason, None)
    return check is not None


def _decide(check: IdentityCheck, status: str, reason: "StrOrPromise", by: User | None) -> IdentityCheck:
    check.move_to(status)
    check.reason, check.decided_by = str(reason), by
    decided = {"status": status, "reason": check.reason, "decided_by": by, "decided_at": Now()}
    IdentityCheck.objects.filter(pk=check.pk).update(**decided)
    if status == IdentityCheck.Status.APPROVED:
        mark_identity_verified(check.user)
    mailbox.post(
        to=check.user.email,
        template=f"identity_{status}",
        context={"name": check.user.name, "reason": check.reason},
        kind=Letter.Kind.NOTICE,
    )
    return check


def remove_decided_photos() -> None:
    """Remove the photos of all checks that are decided.

    The file goes before its name does: a process that dies between the two leaves a name that leads nowhere, and the
    next sweep finds it again.
    """
    for check in IdentityCheck.objects.with_photo_to_remove().order_by("pk").iterator():
        try:
            photos.remove(check.photo)
        except OSError:
            log.exception("The photo of identity check %s could not be removed", check.pk)
        else:
            IdentityCheck.objects.filter(pk=check.pk).update(photo="")


def remove_orphaned_photos() -> None:
    """Remove the photos that no check names: of submissions that were cut short, and of accounts that are gone."""
    settled = set(photos.settled())
    # Asked after the folder: whatever names a settled photo is written by then.
    named = IdentityCheck.objects.exclude(photo="").values_list("photo", flat=True)
    for name in settled.difference(named):
        photos.remove(name)


@transaction.atomic
def resend_letter(letter: Letter) -> None:
    """Queue `letter` to go out now, whatever became of it before.

    Raises:
        LetterErased: nothing is changed.
    """
    letter = _lock_letter(letter)
    if letter.status != Letter.Status.QUEUED:
        letter.move_to(Letter.Status.QUEUED)
        # A mailbox may drop the second letter with the same Message-ID, and this one is sent on purpose.
        letter.message_id = mailbox.new_message_id()
        letter.attempts = 0
        letter.sent_at = None
        letter.last_error = ""
    letter.not_before = Now()
    letter.save()


@transaction.atomic
def correct_letter(letter: Letter, *, to: str) -> None:
    """Make `to` the address that `letter` goes to. One that has gone out, or was refused, goes only if sent again.

    Raises:
        LetterErased: nothing is changed.
    """
    Letter.objects.filter(pk=_lock_letter(letter).pk).update(to=to)


def _lock_letter(letter: Letter) -> Letter:
    locked = Letter.objects.select_for_update(no_key=True).get(pk=letter.pk)
    if locked.is_erased:
        raise LetterErased
    return locked


def send_next_letter(connection: BaseEmailBackend) -> bool:
    """Send the most urgent letter that is due; return False when there is none, or enough are being sent already.

    `connection` may be used for many letters in turn; it is closed when sending fails. The letter is leased in one
    transaction and marked in another, and goes out between them: it goes twice only if this process ends, or the
    database is lost, after the mail server's OK and before the mark, and then with the same Message-ID.
    """
    letter = _lease_next_letter()
    if letter is None:
        return False
    try:
        connection.open()
        connection.send_messages([_compose(letter)])
    except Exception as error:  # noqa: BLE001 - whatever is wrong with one letter, the next one must go
        log.warning("Letter %s not sent: %s", letter.pk, error)
        _close(connection)
        _mark_not_sent(letter, error)
    else:
        _mark_sent(letter)
    return True


def _lease_next_letter() -> Letter | None:
    with transaction.atomic(durable=True):
        # A mail server that hangs keeps so many workers busy and no more. Two that ask at the same instant may be one
        # too many, which does no harm.
        if Letter.objects.being_sent().count() >= settings.LETTERS_AT_A_TIME:
            return None
        due = Letter.objects.due().in_sending_order()
        letter = due.select_for_update(skip_locked=True, no_key=True).first()
        if letter is not None:
            lease = timedelta(seconds=ANSWERS_IN_A_LEASE * settings.EMAIL_TIMEOUT)
            letter.attempts += 1
            Letter.objects.filter(pk=letter.pk).update(attempts=letter.attempts, leased_until=Now() + lease)
    return letter


def _compose(letter: Letter) -> EmailMultiAlternatives:
    message = EmailMultiAlternatives(
        subject=letter.subject, body=letter.text, to=[letter.to], headers={"Message-ID": letter.message_id}
    )
    if letter.html:
        message.attach_alternative(letter.html, "text/html")
    return message


def _close(connection: BaseEmailBackend) -> None:
    try:
        connection.close()
    except Exception as error:  # noqa: BLE001 - it was broken already, which is why it is closed
        log.info("Mail connection did not close well: %s", error)


def _mark_sent(letter: Letter) -> None:
    # By its Message-ID: a letter that was queued again meanwhile has another one and still has to go.
    Letter.objects.filter(pk=letter.pk, message_id=letter.message_id, status=Letter.Status.QUEUED).update(
        status=Letter.Status.SENT, sent_at=Now(), leased_until=None, last_error=""
    )


def _mark_not_sent(letter: Letter, error: Exception) -> None:
    mine = Letter.objects.filter(
        pk=letter.pk, message_id=letter.message_id, status=Letter.Status.QUEUED, attempts=letter.attempts
    )
    if _is_final(error) or letter.attempts >= GIVE_UP_AFTER_ATTEMPTS:
        mine.update(status=Letter.Status.FAILED, leased_until=None, last_error=_in_words(error))
        return
    delay = RETRY_AFTER[min(letter.attempts, len(RETRY_AFTER)) - 1]
    mine.update(not_before=Now() + delay, leased_until=None, last_error=_in_words(error))


def _is_final(error: Exception) -> bool:
    """Tell whether the server refused this letter for good (5xx), rather than us or for now."""
    if isinstance(error, SMTPRecipientsRefused):
        return all(code >= 500 for code, _reason in error.recipients.values())
    return isinstance(error, SMTPDataError) and error.smtp_code >= 500


def _in_words(error: Exception) -> str:
    # PostgreSQL keeps no NUL, and what a server says is not ours.
    return f"{type(error).__name__}: {error}".replace("\x00", "")[:1000]


def code_period_began_at() -> datetime:
    """Return when the code that authenticator apps show now was first shown, by the clock that allauth goes by."""
    now = int(time.time())
    return datetime.fromtimestamp(now - now % mfa_settings.TOTP_PERIOD, UTC)


def spend_code(app: Authenticator, *, since: datetime) -> bool:
    """Note that the code of an authenticator app has served; return False when one had at or after `since`.

    allauth notes it in the cache only: without one, a code that somebody looked on at would serve twice.
    """
    unspent = Q(last_used_at=None) | Q(last_used_at__lt=since)
    return Authenticator.objects.filter(unspent, pk=app.pk).update(last_used_at=timezone.now()) == 1


@transaction.atomic
def remove_second_factor(factor: Authenticator) -> None:
    """Take away a second factor that its owner has lost, and tell the owner; recovery codes go with the last one.

    Raises:
        AccountClosed: all have gone with it.
    """
    closing.keep_open(factor.user)
    factors = Authenticator.objects.filter(user=factor.user)
    factors.filter(pk=factor.pk).delete()
    if not factors.exclude(type=Authenticator.Type.RECOVERY_CODES).exists():
        factors.delete()
    mailbox.post(to=factor.user.email, template="account/second_factor_removed", context={}, kind=Letter.Kind.NOTICE)
