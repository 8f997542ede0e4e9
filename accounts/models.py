"""People, the organizers they work for, and the letters they are sent."""

import uuid
from datetime import timedelta
from typing import Any, ClassVar, Self

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import AnonymousUser, PermissionsMixin
from django.db import models
from django.db.models import Case, Count, OuterRef, Q, Subquery, Value, When
from django.db.models.functions import Lower, Now
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts import addresses
from accounts.answers import KeptAnswer
from accounts.stages import HasStatus

__all__ = [
    "CLOSED_DOMAIN",
    "EMAIL_LENGTH",
    "Act",
    "IdentityCheck",
    "IdentityCheckQuerySet",
    "KeptAnswer",
    "Letter",
    "LetterQuerySet",
    "Membership",
    "MembershipQuerySet",
    "Organizer",
    "OrganizerQuerySet",
    "User",
    "UserManager",
    "UserQuerySet",
    "count_sharing",
]

# As wide as every column for an address; a form's own EmailField takes longer ones.
EMAIL_LENGTH = 254
# Where the addresses of closed accounts are: a domain that never leads anywhere (RFC 2606).
CLOSED_DOMAIN = "closed.invalid"


class UserQuerySet(models.QuerySet["User"]):
    def sharing_mailbox(self) -> Self:
        """Keep the accounts whose mailbox another account has, too."""
        return self.filter(models.Exists(User.objects.filter(mailbox=OuterRef("mailbox")).exclude(pk=OuterRef("pk"))))

    def disposable(self) -> Self:
        """Keep the accounts whose mailbox is made to be thrown away."""
        known = list(addresses.DISPOSABLE_DOMAINS)
        return self.alias(domain=addresses.domain_of("email")).filter(domain__in=known)


def count_sharing(user: str) -> Subquery:
    """Return how many other accounts have the mailbox of the account that the lookup `user` leads to."""
    path = f"{user}__" if user else ""
    others = User.objects.filter(mailbox=OuterRef(f"{path}mailbox")).exclude(pk=OuterRef(f"{path}pk"))
    counted = others.order_by().values("mailbox").annotate(number=Count("pk")).values("number")
    return Subquery(counted, output_field=models.IntegerField())


class UserManager(BaseUserManager.from_queryset(UserQuerySet)):  # type: ignore[misc]
    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """Create an account with `email` as its login; without a password nobody can sign in to it."""
        user = self.model(email=email.strip().lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """Create an account that may do everything in the admin."""
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)

    def get_by_natural_key(self, username: str | None) -> "User":
        """Return the account that signs in as `username`, however it is capitalised."""
        return self.get(email=(username or "").lower())


class User(AbstractBaseUser, PermissionsMixin):
    email = models.EmailField(_("e-mail address"), unique=True)
    # The database writes it, so that it is right whoever changes the address.
    mailbox = models.GeneratedField(
        expression=addresses.mailbox_of("email"),
        output_field=models.CharField(_("mailbox"), max_length=EMAIL_LENGTH),
        db_persist=True,
    )
    name = models.CharField(_("name"), max_length=150, blank=True)
    is_staff = models.BooleanField(_("staff"), default=False, help_text=_("May sign in to the admin."))
    is_active = models.BooleanField(_("active"), default=True, help_text=_("Unselect this instead of deleting."))
    date_joined = models.DateTimeField(_("joined"), default=timezone.now, editable=False)
    email_verified_at = models.DateTimeField(_("e-mail verified at"), null=True, blank=True, editable=False)
    identity_verified_at = models.DateTimeField(_("identity verified at"), null=True, blank=True, editable=False)
    closed_at = models.DateTimeField(_("closed at"), null=True, blank=True, editable=False)

    objects = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        verbose_name = _("user")
        verbose_name_plural = _("users")
        indexes = [models.Index(fields=["mailbox"], name="users_of_a_mailbox")]
        constraints = [
            models.CheckConstraint(condition=Q(email=Lower("email")), name="user_email_is_lower_case"),
            models.CheckConstraint(
                condition=Q(closed_at=None) | Q(is_active=False, name="", email__endswith=f"@{CLOSED_DOMAIN}"),
                name="closed_account_is_nobodys",
            ),
        ]

    def __str__(self) -> str:
        return self.email

    @property
    def is_email_verified(self) -> bool:
        return self.email_verified_at is not None

    @property
    def is_identity_verified(self) -> bool:
        return self.identity_verified_at is not None

    @property
    def is_closed(self) -> bool:
        return self.closed_at is not None

    def get_full_name(self) -> str:
        return self.name or self.email

    def get_short_name(self) -> str:
        return self.name or self.email


class OrganizerQuerySet(models.QuerySet["Organizer"]):
    def for_staff(self, user: User | AnonymousUser) -> "OrganizerQuerySet":
        """Return the organizers whose rows `user` may see and change: all of them for a superuser."""
        if not user.is_active or not user.is_staff:
            return self.none()
        if user.is_superuser:
            return self.all()
        return self.filter(pk__in=Membership.objects.managing().filter(user_id=user.pk).values("organizer"))


class Organizer(models.Model):
    name = models.CharField(_("name"), max_length=150)
    slug = models.SlugField(_("slug"), unique=True)

    objects = OrganizerQuerySet.as_manager()

    class Meta:
        verbose_name = _("organizer")
        verbose_name_plural = _("organizers")

    def __str__(self) -> str:
        return self.name


class MembershipQuerySet(models.QuerySet["Membership"]):
    def managing(self) -> "MembershipQuerySet":
        """Keep the memberships that configure sales; those at the door only let people in."""
        return self.filter(role__in=[Membership.Role.OWNER, Membership.Role.MANAGER])


class Membership(models.Model):
    class Role(models.TextChoices):
        OWNER = "owner", _("Owner")
        MANAGER = "manager", _("Manager")
        DOOR = "door", _("Door")

    user = models.ForeignKey(User, verbose_name=_("user"), on_delete=models.CASCADE, related_name="memberships")
    organizer = models.ForeignKey(
        Organizer, verbose_name=_("organizer"), on_delete=models.CASCADE, related_name="memberships"
    )
    role = models.CharField(_("role"), max_length=10, choices=Role)

    objects = MembershipQuerySet.as_manager()

    class Meta:
        verbose_name = _("membership")
        verbose_name_plural = _("memberships")
        constraints = [
            models.UniqueConstraint(fields=["user", "organizer"], name="user_is_member_of_organizer_once"),
            models.CheckConstraint(condition=Q(role__in=["owner", "manager", "door"]), name="membership_role_is_known"),
        ]

    def __str__(self) -> str:
        return f"{self.user_id}: {self.get_role_display()}"


class IdentityCheckQuerySet(models.QuerySet["IdentityCheck"]):
    def lock(self) -> Self:
        """Lock the rows, lowest pk first, against every other writer."""
        return self.order_by("pk").select_for_update(of=("self",), no_key=True)

    def for_fan(self, user: User) -> Self:
        return self.filter(user=user)

    def pending(self) -> Self:
        return self.filter(status=IdentityCheck.Status.PENDING)

    def overdue(self) -> Self:
        """Keep those that nobody has decided in the time that a photo may be kept, by the database's clock."""
        return self.pending().filter(submitted_at__lte=Now() - IdentityCheck.PHOTO_KEPT)

    def with_photo_to_remove(self) -> Self:
        return self.exclude(status=IdentityCheck.Status.PENDING).exclude(photo="")


class IdentityCheck(HasStatus):
    """A fan's name and the photo of a document, for the platform's staff to compare; organizers never see it."""

    class Status(models.TextChoices):
        PENDING = "pending", _("Pending")
        APPROVED = "approved", _("Approved")
        REFUSED = "refused", _("Refused")

    TRANSITIONS = {
        Status.PENDING: {Status.APPROVED, Status.REFUSED},
        Status.APPROVED: set(),
        # Another try is another check.
        Status.REFUSED: set(),
    }

    PHOTO_KEPT = timedelta(days=30)

    user = models.ForeignKey(User, verbose_name=_("user"), on_delete=models.CASCADE, related_name="identity_checks")
    legal_name = models.CharField(_("name as on the document"), max_length=150)
    # The name of a file that `photos` keeps; empty once that is gone.
    photo = models.CharField(_("photo"), max_length=50, blank=True, default="")
    status = models.CharField(_("status"), max_length=20, choices=Status, default=Status.PENDING)
    reason = models.CharField(_("reason"), max_length=300, blank=True, default="")
    submitted_at = models.DateTimeField(_("submitted"), db_default=Now())
    decided_at = models.DateTimeField(_("decided"), null=True, blank=True)
    decided_by = models.ForeignKey(
        User, verbose_name=_("decided by"), on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )

    objects = IdentityCheckQuerySet.as_manager()

    class Meta:
        verbose_name = _("identity check")
        verbose_name_plural = _("identity checks")
        constraints = [
            models.UniqueConstraint(
                fields=["user"],
                condition=Q(status__in=["pending", "approved"]),
                name="fan_has_one_open_or_approved_identity_check",
            ),
            models.CheckConstraint(
                condition=Q(status__in=["pending", "approved", "refused"]), name="identity_check_status_is_known"
            ),
            models.CheckConstraint(condition=~Q(legal_name=""), name="identity_check_has_a_name"),
            models.CheckConstraint(
                condition=Q(status="pending", decided_at=None, decided_by=None, reason="")
                | (~Q(status="pending") & Q(decided_at__isnull=False) & ~Q(reason="")),
                name="identity_check_decided_has_time_and_reason",
            ),
        ]

    def __str__(self) -> str:
        return self.legal_name

    @property
    def is_pending(self) -> bool:
        return self.status == self.Status.PENDING

    @property
    def is_refused(self) -> bool:
        return self.status == self.Status.REFUSED


class LetterQuerySet(models.QuerySet["Letter"]):
    def due(self) -> "LetterQuerySet":
        """Keep the letters to send now, that nobody is sending, by the database's clock."""
        return self.filter(
            Q(leased_until=None) | Q(leased_until__lte=Now()), status=Letter.Status.QUEUED, not_before__lte=Now()
        )

    def of_mailing(self, mailing: uuid.UUID) -> "LetterQuerySet":
        return self.filter(mailing=mailing)

    def being_sent(self) -> "LetterQuerySet":
        return self.filter(status=Letter.Status.QUEUED, leased_until__gt=Now())

    def in_sending_order(self) -> "LetterQuerySet":
        return self.order_by("urgency", "not_before", "pk")


class Letter(HasStatus):
    class Kind(models.TextChoices):
        """What a letter is about; they are sent in this order."""

        VERIFICATION = "verification", _("Verification")
        RECEIPT = "receipt", _("Receipt")
        NOTICE = "notice", _("Notice")
        MASS = "mass", _("Mass mail")

    class Status(models.TextChoices):
        QUEUED = "queued", _("Queued")
        SENT = "sent", _("Sent")
        FAILED = "failed", _("Failed")
        WITHDRAWN = "withdrawn", _("Withdrawn")

    # Back to queued only by hand: somebody corrected the address, or the person asks for it again.
    TRANSITIONS = {
        Status.QUEUED: {Status.SENT, Status.FAILED, Status.WITHDRAWN},
        Status.SENT: {Status.QUEUED},
        Status.FAILED: {Status.QUEUED},
        Status.WITHDRAWN: {Status.QUEUED},
    }

    SUBJECT_LENGTH = 250

    to = models.EmailField(_("to"))
    subject = models.CharField(_("subject"), max_length=SUBJECT_LENGTH)
    text = models.TextField(_("text"))
    html = models.TextField(_("HTML"), blank=True)
    kind = models.CharField(_("kind"), max_length=20, choices=Kind)
    status = models.CharField(_("status"), max_length=20, choices=Status, default=Status.QUEUED)
    message_id = models.CharField(_("Message-ID"), max_length=250)
    created_at = models.DateTimeField(_("created at"), db_default=Now())
    not_before = models.DateTimeField(_("not before"), db_default=Now())
    leased_until = models.DateTimeField(_("being sent until"), null=True)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    sent_at = models.DateTimeField(_("sent at"), null=True)
    last_error = models.TextField(_("last error"), blank=True)
    # What letters to many that tell of one thing have in common; letters of their own have none.
    mailing = models.UUIDField(null=True, editable=False)
    urgency = models.GeneratedField(
        expression=Case(
            *[When(kind=kind, then=Value(urgency)) for urgency, kind in enumerate(Kind.values)],
            default=Value(len(Kind.values)),
        ),
        output_field=models.PositiveSmallIntegerField(),
        db_persist=True,
    )

    objects = LetterQuerySet.as_manager()

    class Meta:
        verbose_name = _("letter")
        verbose_name_plural = _("letters")
        constraints = [
            models.UniqueConstraint(fields=["message_id"], name="letter_has_its_own_message_id"),
            models.CheckConstraint(
                condition=Q(status="sent", sent_at__isnull=False) | (~Q(status="sent") & Q(sent_at=None)),
                name="letter_sent_has_its_time",
            ),
            models.CheckConstraint(
                condition=Q(status="queued") | Q(leased_until=None), name="letter_leased_only_while_queued"
            ),
        ]
        indexes = [
            # Only what waits is in it, so that it stays small and the sweep reads its first row.
            models.Index(fields=["urgency", "not_before", "id"], name="letter_waiting", condition=Q(status="queued")),
            # Asked before each letter, however many wait.
            models.Index(fields=["leased_until"], name="letter_being_sent", condition=Q(leased_until__isnull=False)),
            models.Index(fields=["to"], name="letters_to_an_address"),
            models.Index(fields=["mailing", "status"], name="letters_of_a_mailing", condition=Q(mailing__isnull=False)),
        ]

    def __str__(self) -> str:
        return self.subject

    @property
    def is_erased(self) -> bool:
        """Whether it was to somebody who has closed the account: address and text are gone."""
        return self.to.endswith(f"@{CLOSED_DOMAIN}")


class Act(models.Model):
    """Whose rows an entry of the audit log is about; one of the platform's staff about nobody's has none."""

    entry = models.OneToOneField("admin.LogEntry", on_delete=models.CASCADE, primary_key=True, related_name="act")
    organizer = models.ForeignKey(Organizer, on_delete=models.CASCADE, related_name="acts")

    def __str__(self) -> str:
        return str(self.entry)
