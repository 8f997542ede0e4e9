from typing import Any, cast

from allauth.account.decorators import secure_admin_login
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django import forms
from django.contrib import admin, messages
from django.contrib.admin.models import LogEntry
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group
from django.db import transaction
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils.decorators import method_decorator
from django.utils.html import format_html
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from unfold.admin import ModelAdmin, TabularInline
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from accounts import photos, services
from accounts.audit import Audited
from accounts.desk import AuditLogAdmin
from accounts.flags import AddressFilter, FlaggedAddresses
from accounts.forms import IdentityDecisionForm
from accounts.models import IdentityCheck, Letter, Membership, Organizer, User
from accounts.scoping import OrganizerScopedAdmin, ReadOnly

__all__ = ["IdentityCheckAdmin", "LetterAdmin", "OrganizerAdmin", "OrganizerScopedAdmin", "UserAdmin"]

# One door for everybody: with its limits on guessing, and with a second factor once there is one.
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]
# Rights come from memberships, not from groups; an address is verified by its owner, or by `UserAdmin`.
admin.site.unregister(Group)
admin.site.unregister(EmailAddress)
admin.site.unregister(Authenticator)
admin.site.register(LogEntry, AuditLogAdmin)


class SuperuserOnly(admin.options.BaseModelAdmin):
    def has_module_permission(self, request: HttpRequest) -> bool:
        return request.user.is_superuser

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return request.user.is_superuser

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return request.user.is_superuser

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return request.user.is_superuser

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return request.user.is_superuser


class LowerCaseEmail:
    def clean_email(self: Any) -> str:
        return self.cleaned_data["email"].lower()


class NewUserForm(LowerCaseEmail, UserCreationForm):
    class Meta:
        model = User
        fields = ("email", "name")


class EditUserForm(LowerCaseEmail, UserChangeForm):
    class Meta:
        model = User
        fields = ("email", "name", "password", "is_active", "is_staff", "is_superuser")


class PasswordForm(AdminPasswordChangeForm):
    def save(self, commit: bool = True) -> User:
        user: User = super().save(commit=False)
        services.keep_password(user)
        return user


@admin.register(User)
class UserAdmin(SuperuserOnly, FlaggedAddresses, Audited, DjangoUserAdmin, ModelAdmin):
    form = EditUserForm
    add_form = NewUserForm
    change_password_form = PasswordForm
    list_display = ("email", "address_flags", "name", "email_verified_at", "is_staff", "is_active", "date_joined")
    list_filter = ("is_staff", "is_superuser", "is_active", AddressFilter)
    search_fields = ("email", "name")
    ordering = ("email",)
    filter_horizontal = ()
    readonly_fields = (
        "about_address",
        "email_verified_at",
        "identity_verified_at",
        "date_joined",
        "last_login",
        "closed_at",
    )
    fieldsets = (
        (None, {"fields": ("email", "about_address", "name", "password")}),
        (_("Proved"), {"fields": ("email_verified_at", "identity_verified_at")}),
        (_("Rights"), {"fields": ("is_active", "is_staff", "is_superuser")}),
        (_("Times"), {"fields": ("date_joined", "last_login", "closed_at")}),
    )
    add_fieldsets = ((None, {"fields": ("email", "name", "usable_password", "password1", "password2")}),)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """A closed account is nobody's, and stays so."""
        is_closed = isinstance(obj, User) and obj.is_closed
        return not is_closed and super().has_change_permission(request, obj)

    def save_model(self, request: HttpRequest, obj: User, form: forms.ModelForm, change: bool) -> None:
        """Save what was changed in the form and nothing else; a new address has to be verified again."""
        if not change:
            super().save_model(request, obj, form, change)
            return
        if "email" in form.changed_data:
            services.change_email(obj, email=form.cleaned_data["email"])
        obj.save(update_fields=[name for name in form.changed_data if name != "email"])


class MembershipInline(SuperuserOnly, TabularInline):
    model = Membership
    extra = 0
    autocomplete_fields = ("user",)


@admin.register(Organizer)
class OrganizerAdmin(OrganizerScopedAdmin):
    organizer_path = "pk"
    list_display = ("name", "slug")
    search_fields = ("name", "slug")
    ordering = ("name",)
    prepopulated_fields = {"slug": ("name",)}
    inlines = (MembershipInline,)

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return request.user.is_superuser

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return request.user.is_superuser


@admin.register(Letter)
class LetterAdmin(ReadOnly, SuperuserOnly, Audited, ModelAdmin):
    """Show what became of every letter; bounced ones stand out by their status and error.

    Of a letter the address can be corrected, before it is sent again, and nothing else.
    """

    list_display = ("subject", "to", "kind", "status", "attempts", "created_at", "sent_at", "last_error")
    list_filter = ("status", "kind")
    search_fields = ("to", "subject")
    ordering = ("-pk",)
    fields = (
        ("status", "kind"),
        ("to", "subject"),
        "text",
        ("created_at", "not_before", "sent_at"),
        ("attempts", "last_error"),
        "message_id",
    )
    readonly_fields = (
        "status",
        "kind",
        "subject",
        "text",
        "created_at",
        "not_before",
        "sent_at",
        "attempts",
        "last_error",
        "message_id",
    )
    actions = ("send_again",)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        is_erased = isinstance(obj, Letter) and obj.is_erased
        # Past ReadOnly, which would say no.
        return not is_erased and SuperuserOnly.has_change_permission(self, request, obj)

    def save_model(self, request: HttpRequest, obj: Letter, form: forms.ModelForm, change: bool) -> None:
        services.correct_letter(obj, to=form.cleaned_data["to"])

    @admin.action(description=_("Send again"))
    def send_again(self, request: HttpRequest, letters: QuerySet[Letter]) -> None:
        """Queue the chosen letters to go out now."""
        chosen = [letter for letter in letters if not letter.is_erased]
        if len(chosen) < len(letters):
            self.message_user(request, str(services.LetterErased()), messages.WARNING)
        for letter in chosen:
            self._send_again(request, letter)
        queued = len(chosen)
        text = ngettext("%(count)d letter is on its way.", "%(count)d letters are on their way.", queued)
        self.message_user(request, text % {"count": queued}, messages.SUCCESS)

    @transaction.atomic
    def _send_again(self, request: HttpRequest, letter: Letter) -> None:
        services.resend_letter(letter)
        self.log_change(request, letter, gettext("Queued to be sent again."))


@admin.register(IdentityCheck)
class IdentityCheckAdmin(SuperuserOnly, Audited, ModelAdmin):
    """Let the platform's staff compare name and photo, and decide once."""

    form = IdentityDecisionForm
    list_display = ("legal_name", "user", "status", "submitted_at", "decided_at", "decided_by")
    list_filter = ("status",)
    search_fields = ("legal_name", "user__email")
    list_select_related = ("user", "decided_by")
    ordering = ("-pk",)
    readonly_fields = (
        "user",
        "legal_name",
        "document",
        "status",
        "reason",
        "submitted_at",
        "decided_at",
        "decided_by",
    )
    asked = (None, {"fields": ("user", "legal_name", "document", "submitted_at")})
    decision = (_("Decide"), {"fields": ("decision", "explanation")})
    decided = (_("Decided"), {"fields": ("status", "reason", "decided_at", "decided_by")})

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        is_open = not isinstance(obj, IdentityCheck) or obj.is_pending
        return is_open and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def get_fieldsets(self, request: HttpRequest, obj: IdentityCheck | None = None) -> Any:
        return [self.asked, self.decision if self.has_change_permission(request, obj) else self.decided]

    def get_urls(self) -> list[URLPattern]:
        photo = path("<int:pk>/photo/", never_cache(self.photo), name="accounts_identitycheck_photo")
        return [photo, *super().get_urls()]

    @admin.display(description=_("photo"))
    def document(self, check: IdentityCheck) -> str:
        if not check.photo:
            return gettext("Deleted")
        address = reverse("admin:accounts_identitycheck_photo", args=[check.pk])
        return format_html('<a href="{0}"><img src="{0}" alt="{1}" width="480"></a>', address, gettext("The document"))

    @method_decorator(require_safe)
    def photo(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Give the photo to the platform's staff; to everybody else it does not exist."""
        if not (self.admin_site.has_permission(request) and request.user.is_superuser):
            raise Http404("There is no such photo.")
        check = get_object_or_404(IdentityCheck.objects.exclude(photo=""), pk=pk)
        try:
            picture = photos.read(check.photo)
        except FileNotFoundError as error:
            raise Http404("The photo is gone.") from error
        return HttpResponse(
            picture,
            content_type="image/jpeg",
            headers={
                "Content-Disposition": f'attachment; filename="identity-{check.pk}.jpg"',
                "X-Content-Type-Options": "nosniff",
                "Content-Security-Policy": "default-src 'none'; sandbox",
            },
        )

    def save_model(self, request: HttpRequest, obj: IdentityCheck, form: forms.ModelForm, change: bool) -> None:
        """Decide as the form says; a check that somebody else has decided meanwhile stays as it is."""
        given = form.cleaned_data
        by = cast(User, request.user)
        services.decide_identity(obj, status=given["decision"], reason=given["explanation"], by=by)


@admin.register(Authenticator)
class AuthenticatorAdmin(ReadOnly, SuperuserOnly, Audited, ModelAdmin):
    """Let the platform's staff take away a second factor that a person has lost; its secrets are not shown."""

    list_display = ("user", "type", "created_at", "last_used_at")
    list_filter = ("type",)
    search_fields = ("user__email",)
    list_select_related = ("user",)
    ordering = ("-pk",)
    fields = ("user", "type", "created_at", "last_used_at")

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return request.user.is_superuser

    def delete_model(self, request: HttpRequest, obj: Authenticator) -> None:
        services.remove_second_factor(obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Authenticator]) -> None:
        for factor in queryset.select_related("user"):
            services.remove_second_factor(factor)
