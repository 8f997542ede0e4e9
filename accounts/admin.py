from typing import Any

from allauth.account.decorators import secure_admin_login
from allauth.account.models import EmailAddress
from django import forms
from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.admin import ModelAdmin, TabularInline
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from accounts import services
from accounts.models import Letter, Membership, Organizer, User
from accounts.scoping import OrganizerScopedAdmin

__all__ = ["LetterAdmin", "OrganizerAdmin", "OrganizerScopedAdmin", "UserAdmin"]

# One door for everybody: with its limits on guessing, and with a second factor once there is one.
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]
# Rights come from memberships, not from groups; an address is verified by its owner, or by `UserAdmin`.
admin.site.unregister(Group)
admin.site.unregister(EmailAddress)


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


@admin.register(User)
class UserAdmin(SuperuserOnly, DjangoUserAdmin, ModelAdmin):
    form = EditUserForm
    add_form = NewUserForm
    change_password_form = AdminPasswordChangeForm
    list_display = ("email", "name", "email_verified_at", "is_staff", "is_active", "date_joined")
    list_filter = ("is_staff", "is_superuser", "is_active")
    search_fields = ("email", "name")
    ordering = ("email",)
    filter_horizontal = ()
    readonly_fields = ("email_verified_at", "identity_verified_at", "date_joined", "last_login")
    fieldsets = (
        (None, {"fields": ("email", "name", "password")}),
        (_("Proved"), {"fields": ("email_verified_at", "identity_verified_at")}),
        (_("Rights"), {"fields": ("is_active", "is_staff", "is_superuser")}),
        (_("Times"), {"fields": ("date_joined", "last_login")}),
    )
    add_fieldsets = ((None, {"fields": ("email", "name", "usable_password", "password1", "password2")}),)

    def save_model(self, request: HttpRequest, obj: User, form: forms.ModelForm, change: bool) -> None:
        """Save as the form says; a new address has to be verified again."""
        if change and "email" in form.changed_data:
            services.change_email(obj, email=form.cleaned_data["email"])
        super().save_model(request, obj, form, change)


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
class LetterAdmin(SuperuserOnly, ModelAdmin):
    """Show what became of every letter; bounced ones stand out by their status and error."""

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
    actions = ("send_again",)

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    @admin.action(description=_("Send again"))
    def send_again(self, request: HttpRequest, letters: QuerySet[Letter]) -> None:
        """Queue the chosen letters to go out now."""
        for letter in letters:
            services.resend_letter(letter)
        queued = len(letters)
        text = ngettext("%(count)d letter is on its way.", "%(count)d letters are on their way.", queued)
        self.message_user(request, text % {"count": queued}, messages.SUCCESS)
