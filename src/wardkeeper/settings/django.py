"""Django's settings, derived from ours. Nothing here is meant to be edited by a hospital."""

from pathlib import Path
from secrets import token_urlsafe
from urllib.parse import parse_qsl, unquote, urlsplit

from wardkeeper.settings.load import current

_settings = current()


def _database(dsn: str) -> dict[str, object]:
    """A postgresql:// address as Django's DATABASES entry; `?host=/path` names a socket folder."""
    parts = urlsplit(dsn)
    query = dict(parse_qsl(parts.query))
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")) or "wardkeeper",
        "USER": unquote(parts.username or query.pop("user", "")),
        "PASSWORD": unquote(parts.password or query.pop("password", "")),
        "HOST": unquote(parts.hostname or query.pop("host", "")),
        "PORT": str(parts.port or query.pop("port", "")),
        "CONN_MAX_AGE": 600,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": query,
    }


# Without a key yet (before the first start) nothing may be signed that outlives this process.
SECRET_KEY = _settings.secret_key or token_urlsafe(48)
DEBUG = False
ALLOWED_HOSTS = list(_settings.web.hosts)
CSRF_TRUSTED_ORIGINS = list(_settings.web.origins)
DATABASES = {"default": _database(_settings.database.dsn)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "procrastinate.contrib.django",
    "ninja",
    "wardkeeper.bus",
    "wardkeeper.registry.calendars",
    "wardkeeper.registry.places",
    "wardkeeper.registry.people",
    "wardkeeper.registry.cmdb",
    "wardkeeper.ledger",
    "wardkeeper.aggregation.metric",
    "wardkeeper.aggregation.alarm",
    "wardkeeper.aggregation.event",
    "wardkeeper.aggregation.discovery",
    "wardkeeper.processing.desk",
    "wardkeeper.processing.incident",
    "wardkeeper.processing.sla",
    "wardkeeper.processing.dispatch",
    "wardkeeper.presentation.web",
    "wardkeeper.presentation.portal",
    "wardkeeper.presentation.api",
]
# Rooms keep what they do on a timetable in `jobs.py`.
PROCRASTINATE_AUTODISCOVER_MODULE_NAME = "jobs"
AUTH_USER_MODEL = "people.Person"
AUTHENTICATION_BACKENDS = ["wardkeeper.registry.people.backend.PasswordBackend"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "wardkeeper.presentation.web.middleware.ContentSecurityPolicy",
    "django.middleware.gzip.GZipMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "wardkeeper.presentation.web.middleware.SessionGuard",
    "wardkeeper.presentation.web.middleware.PersonalLanguage",
    "django.contrib.messages.middleware.MessageMiddleware",
    "wardkeeper.presentation.web.middleware.SignInRequired",
    "wardkeeper.presentation.web.middleware.Faults",
    "wardkeeper.presentation.web.middleware.Toasts",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "wardkeeper.presentation.urls"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "wardkeeper.presentation.web.context.shell",
            ],
            "builtins": ["wardkeeper.presentation.web.templatetags.wardkeeper"],
        },
    }
]
LANGUAGE_CODE = "zh-hans" if _settings.site.language == "auto" else _settings.site.language
LANGUAGES = [("zh-hans", "简体中文"), ("en", "English")]
LOCALE_PATHS = [str(Path(__file__).resolve().parents[1] / "locale")]
USE_I18N = True
USE_TZ = True
TIME_ZONE = _settings.site.timezone
STATIC_URL = "/static/"
STATIC_ROOT = str(_settings.data_dir / "static")
# Pages work before anything was collected: what is not found there comes from the package.
WHITENOISE_USE_FINDERS = True
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "wardkeeper.presentation.web.assets.Assets"},
}
MEDIA_ROOT = str(_settings.data_dir / "attachments")
LOGIN_URL = "/login/"
LOGIN_REDIRECT_URL = "/"
CSRF_FAILURE_VIEW = "wardkeeper.presentation.web.views.errors.forged"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _settings.web.behind_tls
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if _settings.web.behind_tls else None
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
SILENCED_SYSTEM_CHECKS: list[str] = []
LOGGING_CONFIG = None
