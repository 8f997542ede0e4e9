"""Every setting, from the environment.

`make demo` writes the variables of its own stack to `var/demo/environment`, which is read here when it
exists, so that `manage.py` works beside a demo without further ado. Anywhere else what production must choose
(`environment.py`) must be set; a missing variable stops the start with its name.
"""

from pathlib import Path

import environ
from django.core.exceptions import ImproperlyConfigured
from django.urls import reverse_lazy
from django.utils.translation import gettext_lazy as _

from config import desk, environment, rest

BASE_DIR = Path(__file__).resolve().parent.parent

env = environ.Env()
env.read_env(BASE_DIR / "var" / "demo" / "environment")

# A demo shows its own mail on a page, pays with play money and runs without HTTPS.
DEMO = env.bool("DEMO", default=False)
# The made-up fans of a demo have their addresses here; their letters are not shown among the visitors'.
DEMO_CROWD_DOMAIN = "crowd.example.com"
DEBUG = env.bool("DEBUG", default=False)
SECRET_KEY = environment.required(env, "SECRET_KEY")
# What was signed or encrypted with an earlier key can still be read.
SECRET_KEY_FALLBACKS = env.list("SECRET_KEY_FALLBACKS", default=[])
ALLOWED_HOSTS = [host.strip() for host in environment.required(env, "ALLOWED_HOSTS").split(",")]
SITE_URL = environment.site_url(env, demo=DEMO)
CSRF_TRUSTED_ORIGINS = [SITE_URL]

INSTALLED_APPS = [
    "config.apps.ConfigConfig",
    "unfold",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.headless",
    "payments",
    "django_altcha",
    "corsheaders",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "accounts",
    "webhooks",
    "events",
    "queues",
    "orders",
    "transfers",
]

MIDDLEWARE = [
    # Outside of everything, so that a program on another site can read refusals, too.
    "corsheaders.middleware.CorsMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "config.middleware.ContentSecurityPolicyMiddleware",
    "config.middleware.RefusalMiddleware",
    "config.middleware.BodySizeMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "config.middleware.SlashMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "config.context_processors.site",
            ],
        },
    },
]

# Database. Locks and statements end by themselves: a sale must not hang behind one stuck connection. Nor behind a dead
# process: PostgreSQL looks each second whether whoever waits for a lock is still there, and lets go what it had.

DATABASES = {"default": env.db_url_config(environment.required(env, "DATABASE_URL"))}
DATABASES["default"]["CONN_MAX_AGE"] = env.int("DATABASE_CONN_MAX_AGE", default=600)
DATABASES["default"].setdefault("OPTIONS", {}).update(
    {
        "connect_timeout": 5,
        "options": "-c lock_timeout=3000 -c statement_timeout=10000 -c idle_in_transaction_session_timeout=5000"
        " -c client_connection_check_interval=1000",
    }
)
# After a restart of PostgreSQL a kept connection is dead: a request opens another one rather than fail by it.
DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Redis carries what may be lost: the cache, the boards, Celery's messages. A call waits 200 ms at most.

REDIS_URL = environment.required(env, "REDIS_URL")
CACHES = {
    "default": {
        "BACKEND": "config.caches.OptionalRedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "fairline",
        "OPTIONS": {
            "CLIENT_CLASS": "django_redis.client.DefaultClient",
            "IGNORE_EXCEPTIONS": True,
            "SOCKET_CONNECT_TIMEOUT": 0.2,
            "SOCKET_TIMEOUT": 0.2,
        },
    }
}
DJANGO_REDIS_LOG_IGNORED_EXCEPTIONS = True
SESSION_ENGINE = "django.contrib.sessions.backends.cached_db"

CELERY_BROKER_URL = REDIS_URL
# No list in Redis of what a worker has taken. The next sweep finds what a lost message asked for; and a worker that
# tries to put such messages back when its Redis has gone away dies of it.
CELERY_BROKER_TRANSPORT_OPTIONS = {"global_keyprefix": "celery:", "ack_emulation": False}
# However long Redis is away, a worker goes on when it is back.
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TASK_IGNORE_RESULT = True
CELERY_WORKER_HIJACK_ROOT_LOGGER = False

# Accounts

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = reverse_lazy("account_login")
LOGIN_REDIRECT_URL = reverse_lazy("queues:events")
ACCOUNT_ADAPTER = "accounts.adapter.AccountAdapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_FORMS = {"signup": "accounts.forms.SignupForm", "add_email": "accounts.forms.ChangeEmailForm"}
# Tell the owner, at the old address too, when the password or the address changes.
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_UNIQUE_EMAIL = True
ACCOUNT_CHANGE_EMAIL = True
# Verified before joining a line (queues.services), not before signing in: a fan may look around first.
ACCOUNT_EMAIL_VERIFICATION = "optional"
ACCOUNT_CONFIRM_EMAIL_ON_GET = False
ACCOUNT_LOGIN_ON_EMAIL_CONFIRMATION = False
ACCOUNT_LOGOUT_REDIRECT_URL = reverse_lazy("queues:events")
ACCOUNT_DEFAULT_HTTP_PROTOCOL = SITE_URL.partition(":")[0]

# Programs sign in by a token instead of a cookie (accounts/headless); letters lead to our pages all the same.
HEADLESS_ADAPTER = "accounts.adapter.ProgramAdapter"

# Second factors: codes of an app, passkeys (which sign in by themselves, too), codes on paper in case those are lost.

MFA_ADAPTER = "accounts.adapter.SecondFactorAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_FORMS = {
    "authenticate": "accounts.forms.SecondStepForm",
    "reauthenticate": "accounts.forms.ConfirmByCodeForm",
    "activate_totp": "accounts.forms.ActivateAppForm",
    "add_webauthn": "accounts.forms.AddPasskeyForm",
    "authenticate_webauthn": "accounts.forms.SecondStepPasskeyForm",
    "reauthenticate_webauthn": "accounts.forms.ConfirmByPasskeyForm",
    "login_webauthn": "accounts.forms.PasskeyForm",
    "edit_webauthn": "accounts.forms.RenamePasskeyForm",
}
MFA_TOTP_ISSUER = "Fairline"
MFA_PASSKEY_LOGIN_ENABLED = True
# Browsers take http://localhost for a safe place; the library asks for HTTPS all the same.
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = DEMO

# Who compares a fan with a document: the platform's staff in the admin, or nobody, and everyone is approved at once.

IDENTITY_PROVIDER = env.str("IDENTITY_PROVIDER", default="manual")
if IDENTITY_PROVIDER not in {"manual", "instant"}:
    raise ImproperlyConfigured(f"IDENTITY_PROVIDER={IDENTITY_PROVIDER} is not known: set it to manual or instant.")
if IDENTITY_PROVIDER == "instant" and not DEMO:
    raise ImproperlyConfigured("IDENTITY_PROVIDER=instant checks nobody and is for a demo only: set it to manual.")

# Mail is written to the mailbox and sent by a sweep through this backend.

vars().update(env.email_url_config(environment.required(env, "EMAIL_URL")))
EMAIL_TIMEOUT = 10
# Fewer than there are worker processes: a mail server that hangs must leave some for the lines. The most urgent letter
# is always the next to be taken, by whichever worker.
LETTERS_AT_A_TIME = env.int("LETTERS_AT_A_TIME", default=1)
DEFAULT_FROM_EMAIL = (
    env.str("DEFAULT_FROM_EMAIL", default="Fairline <tickets@fairline.example>")
    if DEMO
    else environment.required(env, "DEFAULT_FROM_EMAIL")
)

# Payments

PAYMENT_MODEL = "orders.Payment"
PAYMENT_HOST = SITE_URL.partition("://")[2]
PAYMENT_USES_SSL = SITE_URL.startswith("https:")
PAYMENT_VARIANTS: environment.Variants = (
    {"dummy": ("orders.providers.PlayMoneyProvider", {})} if DEMO else environment.payment_variants(env)
)
PAYMENT_VARIANT = environment.payment_variant(env, PAYMENT_VARIANTS)

# Programs: the API (see config/rest.py)

API_REQUESTS_A_MINUTE_BY_ACCOUNT = env.int("API_REQUESTS_A_MINUTE_BY_ACCOUNT", default=300)
# Larger: a university's fans come from one address.
API_REQUESTS_A_MINUTE_BY_ADDRESS = env.int("API_REQUESTS_A_MINUTE_BY_ADDRESS", default=3000)
REST_FRAMEWORK = rest.REST_FRAMEWORK
SPECTACULAR_SETTINGS = rest.SPECTACULAR_SETTINGS

# Pages of other sites may call the API by tokens and keys. Browsers send them no cookie of ours.
CORS_ALLOWED_ORIGINS = environment.allowed_origins(env, demo=DEMO)
CORS_URLS_REGEX = r"^/(api|_allauth)/"
CORS_ALLOW_CREDENTIALS = False
CORS_ALLOW_HEADERS = [
    "accept",
    "authorization",
    "content-type",
    "idempotency-key",
    "if-none-match",
    "x-email-verification-key",
    "x-password-reset-key",
    "x-session-token",
]
CORS_EXPOSE_HEADERS = ["ETag", "Idempotent-Replayed", "Location", "Retry-After"]

# Words and times

LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"

# Files

STATIC_URL = "static/"
STATIC_ROOT = env.path("STATIC_ROOT", default=BASE_DIR / "staticfiles")
STATICFILES_DIRS = [BASE_DIR / "static"]
MEDIA_URL = "media/"
# A production has several machines, which share both folders: none is the right one by itself.
if not DEMO:
    environment.required(env, "MEDIA_ROOT")
    environment.required(env, "IDENTITY_ROOT")
MEDIA_ROOT = env.path("MEDIA_ROOT", default=BASE_DIR / "var" / "media")
# Photos of documents. No address leads here; the admin shows them to the platform's staff.
IDENTITY_ROOT = Path(env.str("IDENTITY_ROOT", default=str(BASE_DIR / "var" / "identity")))
if IDENTITY_ROOT.resolve().is_relative_to(Path(MEDIA_ROOT).resolve()):
    raise ImproperlyConfigured(f"IDENTITY_ROOT={IDENTITY_ROOT} lies in MEDIA_ROOT, which everybody can read: move it.")
# The largest body that is read at all. A photo of a document is refused beyond 8 MB, in better words.
MAX_BODY_BYTES = env.int("MAX_BODY_BYTES", default=20 * 1024 * 1024)
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage" if DEMO else "config.files.HashedStaticFiles"
    },
}
WHITENOISE_USE_FINDERS = DEMO

# Browsers

SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = PAYMENT_USES_SSL
SECURE_SSL_REDIRECT = PAYMENT_USES_SSL
SECURE_HSTS_SECONDS = 31_536_000 if PAYMENT_USES_SSL else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = PAYMENT_USES_SSL
BEHIND_PROXY = env.bool("BEHIND_PROXY", default=False)
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if BEHIND_PROXY else None
# Whose address limits on guessing count: the one that the proxy in front has seen.
ALLAUTH_TRUSTED_PROXY_COUNT = 1 if BEHIND_PROXY else 0

# The line

# All askers of all boards together stay under this many requests a second.
BOARD_POLLS_PER_SECOND = env.int("BOARD_POLLS_PER_SECOND", default=2000)
PAYMENT_GRACE_SECONDS = env.int("PAYMENT_GRACE_SECONDS", default=120)

# Facts for other programs are kept for so long (see docs/webhooks.md).
FACTS_KEPT_DAYS = env.int("FACTS_KEPT_DAYS", default=30)
if FACTS_KEPT_DAYS < 1:
    raise ImproperlyConfigured(f"FACTS_KEPT_DAYS={FACTS_KEPT_DAYS} keeps nothing: set it to 1 or more.")

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name} {message}", "style": "{"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": env.str("LOG_LEVEL", default="INFO")},
}

UNFOLD = desk.UNFOLD
