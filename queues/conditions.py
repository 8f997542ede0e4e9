"""What a queue asks of whoever joins, and what a fan has shown of it: access codes and their uses.

Part of the models; kept apart from the queue itself because only some queues ask for anything.
"""

from __future__ import annotations

from typing import Self

from django.core.validators import MinValueValidator, RegexValidator
from django.db import models
from django.db.models import F, OuterRef, Q
from django.db.models.functions import Greatest, Now
from django.utils.translation import gettext_lazy as _

from accounts.models import User

CODE_LENGTH = 20
CARD_DIGITS = 8
SIGNATURE_LENGTH = 64


def normalised(code: str) -> str:
    """Return a code as it is compared: in upper case, without surrounding blanks."""
    return code.strip().upper()


class AccessCodeQuerySet(models.QuerySet["AccessCode"]):
    def usable_at_the_opening(self) -> Self:
        """Codes that would let a fan in: now, or when the queue opens if that is still to come."""
        then = Greatest(Now(), "queue__scheduled_start")
        return self.filter(
            Q(valid_from__isnull=True) | Q(valid_from__lte=then),
            Q(valid_until__isnull=True) | Q(valid_until__gt=then),
            is_active=True,
            use_count__lt=F("max_uses"),
        )

    def in_order(self) -> Self:
        return self.order_by("pk")


class AccessCode(models.Model):
    """A word that opens a presale to so many fans."""

    queue = models.ForeignKey("queues.Queue", on_delete=models.CASCADE, related_name="access_codes", db_index=False)
    code = models.CharField(
        _("code"),
        max_length=CODE_LENGTH,
        validators=[RegexValidator(r"^[A-Z0-9-]+\Z", _("A code is made of letters A to Z, digits and hyphens."))],
    )
    max_uses = models.PositiveIntegerField(_("fans who may use it"), default=1, validators=[MinValueValidator(1)])
    use_count = models.PositiveIntegerField(_("used"), default=0, editable=False)
    description = models.CharField(_("description"), max_length=200, blank=True)
    is_active = models.BooleanField(_("active"), default=True)
    valid_from = models.DateTimeField(_("valid from"), null=True, blank=True)
    valid_until = models.DateTimeField(_("valid until"), null=True, blank=True)

    objects = AccessCodeQuerySet.as_manager()

    class Meta:
        verbose_name = _("access code")
        verbose_name_plural = _("access codes")
        constraints = [
            models.UniqueConstraint(
                name="code_is_unique_in_a_queue",
                fields=["queue", "code"],
                violation_error_message=_("This queue has this code already."),
            ),
            models.CheckConstraint(name="code_is_written_as_compared", condition=Q(code__regex=r"^[A-Z0-9-]+$")),
            models.CheckConstraint(name="code_never_used_too_often", condition=Q(use_count__lte=F("max_uses"))),
            models.CheckConstraint(
                name="code_is_valid_for_some_time",
                condition=Q(valid_from__isnull=True) | Q(valid_until__isnull=True) | Q(valid_from__lt=F("valid_until")),
                violation_error_message=_("A code must become valid before it expires."),
            ),
        ]

    def __str__(self) -> str:
        return self.code


class AccessCodeUse(models.Model):
    """One fan's use of a queue's codes; it lasts, however often the fan comes back, and with whatever code."""

    code = models.ForeignKey(AccessCode, on_delete=models.PROTECT, related_name="uses")
    # The code's own, named once more for the constraint.
    queue = models.ForeignKey("queues.Queue", on_delete=models.PROTECT, related_name="+", db_index=False)
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", db_index=False)
    used_at = models.DateTimeField(_("used"), db_default=Now())

    class Meta:
        verbose_name = _("use of a code")
        verbose_name_plural = _("uses of codes")
        constraints = [models.UniqueConstraint(name="fan_uses_one_code_of_a_queue", fields=["user", "queue"])]

    def __str__(self) -> str:
        return f"{self.code} / {self.user}"


class CardProgramme(models.Model):
    """Cards whose holders a presale may be for; platform staff say which, by how their numbers begin."""

    name = models.CharField(_("name"), max_length=100)
    slug = models.SlugField(_("short name"), max_length=50, unique=True)

    class Meta:
        verbose_name = _("card programme")
        verbose_name_plural = _("card programmes")

    def __str__(self) -> str:
        return self.name


class CardPrefix(models.Model):
    """How the numbers of a programme's cards begin."""

    programme = models.ForeignKey(CardProgramme, on_delete=models.CASCADE, related_name="prefixes", db_index=False)
    digits = models.CharField(
        _("first digits"),
        max_length=CARD_DIGITS,
        validators=[RegexValidator(r"^[0-9]{1,8}\Z", _("One to eight digits."))],
    )

    class Meta:
        verbose_name = _("card prefix")
        verbose_name_plural = _("card prefixes")
        constraints = [
            models.UniqueConstraint(name="prefix_is_named_once_a_programme", fields=["programme", "digits"]),
            models.CheckConstraint(name="prefix_is_made_of_digits", condition=Q(digits__regex=r"^[0-9]{1,8}$")),
        ]

    def __str__(self) -> str:
        return self.digits


class CaptchaThreshold(models.TextChoices):
    """How much a browser has to work out, see `captcha.MOST_SUMS`."""

    LOW = "low", _("Low: hardly noticed")
    MEDIUM = "medium", _("Medium: about a second on a telephone")
    HIGH = "high", _("High: some seconds on a telephone")


class SpentSolution(models.Model):
    """A solved challenge that has served: no second one with its signature is taken. Removed once it has expired."""

    signature = models.CharField(max_length=SIGNATURE_LENGTH)
    expires_at = models.DateTimeField()

    class Meta:
        verbose_name = _("spent solution")
        verbose_name_plural = _("spent solutions")
        constraints = [models.UniqueConstraint(name="solution_serves_once", fields=["signature"])]

    def __str__(self) -> str:
        return self.signature


class Readiness(models.Model):
    """What a fan has shown before joining; remembered for the account, so that joining asks for nothing more."""

    queue = models.ForeignKey("queues.Queue", on_delete=models.CASCADE, related_name="+")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+", db_index=False)
    code = models.ForeignKey(AccessCode, on_delete=models.CASCADE, related_name="+", null=True)
    # That an eligible card was shown; never its digits.
    has_card = models.BooleanField(default=False)
    has_solved_captcha = models.BooleanField(default=False)

    class Meta:
        verbose_name = _("readiness")
        verbose_name_plural = _("readiness")
        constraints = [models.UniqueConstraint(name="fan_is_ready_once_a_queue", fields=["user", "queue"])]

    def __str__(self) -> str:
        return f"{self.user} / {self.queue_id}"


class Guest(models.Model):
    """Somebody, or everybody of a domain, whom a queue is for; a queue without guests is for all."""

    queue = models.ForeignKey("queues.Queue", on_delete=models.CASCADE, related_name="guests", db_index=False)
    # An address or the domain of many, in lower case.
    address = models.CharField(_("address or domain"), max_length=254)

    class Meta:
        verbose_name = _("guest")
        verbose_name_plural = _("guests")
        constraints = [models.UniqueConstraint(name="guest_is_named_once_a_queue", fields=["queue", "address"])]

    def __str__(self) -> str:
        return self.address


def uses_of(user: User) -> models.QuerySet[AccessCodeUse]:
    """Return the fan's uses of codes of the queue that the query around this one is about."""
    return AccessCodeUse.objects.filter(user=user, queue=OuterRef("pk"))
