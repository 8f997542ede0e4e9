"""Production by its environment alone: what is missing is said, and what is served is as strict as it can be."""

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from django.core.exceptions import ImproperlyConfigured
from environ import Env

from config import environment
from config.stack import PROJECT, Stack
from tests.config.production import chosen, manage, with_static_files

IMPORTED = re.compile(r"""\b(?:from|import)\s*\(?\s*["']([^"']+)["']""")
HASHED = re.compile(r"\.[0-9a-f]{12}\.\w+$")
FOR_GOOD = "max-age=315360000, public, immutable"
BY_HTTPS = {"X-Forwarded-Proto": "https"}


@pytest.fixture(scope="session")
def collected(session_folder: Path, worker_id: str) -> dict[str, str]:
    """Return the variables of a production whose static files have been collected."""
    return with_static_files(session_folder / f"production-{worker_id}")


@pytest.fixture
def web(collected: dict[str, str], own_servers: dict[str, str], tmp_path: Path) -> Iterator[httpx.Client]:
    """Return a browser at a running production, as the proxy in front of it would pass it on."""
    own = {name.upper(): url for name, url in own_servers.items()}
    stack = Stack(
        tmp_path / "stack",
        database_url=own_servers["database_url"],
        redis_url=own_servers["redis_url"],
        extra_env={**collected, **own, "BEHIND_PROXY": "1"},
    )
    stack.manage("migrate", "--no-input")
    with stack, httpx.Client(base_url=stack.url, headers=BY_HTTPS, timeout=30) as client:
        yield client


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("SECRET_KEY", "a long random text that nobody else knows"),
        ("ALLOWED_HOSTS", "the names of this site, for example tickets.example.com"),
        ("SITE_URL", "the address of this site, for example https://tickets.example.com"),
        ("DATABASE_URL", "a PostgreSQL, for example postgres://fairline:password@database.example.com/fairline"),
        ("REDIS_URL", "a Redis, for example redis://redis.example.com:6379/0"),
        ("EMAIL_URL", "a mail server, for example smtp+tls://user:password@mail.example.com:587"),
        ("DEFAULT_FROM_EMAIL", "the sender of letters, for example Tickets <tickets@example.com>"),
        ("MEDIA_ROOT", "the folder of uploads, for example /srv/fairline/media"),
        ("IDENTITY_ROOT", "the private folder of documents' photos, for example /srv/fairline/identity"),
        (
            "PAYMENT_VARIANTS",
            'who takes the money, for example {"card": ["payments.stripe.StripeProviderV3", {...}]}',
        ),
    ],
)
def test_production_without_a_variable_does_not_start_and_says_which(tmp_path: Path, name: str, words: str):
    # An empty one is as good as none; it also hides what a demo in the same folder has written down.
    started = manage("check", environment={**chosen(tmp_path), name: ""})

    said = f"Fairline does not start: {name} is not set: give {words}.\n"
    assert (started.returncode, started.stdout, started.stderr) == (1, "", said)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("SITE_URL", "http://tickets.example.com", "SITE_URL=http://tickets.example.com does not do: give the address"),
        ("SITE_URL", "tickets.example.com", "SITE_URL=tickets.example.com does not do: give the address"),
        ("PAYMENT_VARIANTS", "paypal", "PAYMENT_VARIANTS cannot be read as JSON: give who takes the money"),
        ("PAYMENT_VARIANTS", '{"card": "x"}', "PAYMENT_VARIANTS cannot be read as JSON: give who takes the money"),
        ("PAYMENT_VARIANTS", "{}", "PAYMENT_VARIANT=card is none of PAYMENT_VARIANTS (none): name one of them."),
        ("PAYMENT_VARIANT", "cash", "PAYMENT_VARIANT=cash is none of PAYMENT_VARIANTS (card): name one of them."),
        ("PAYMENT_VARIANTS", '{"a": ["payments.dummy.DummyProvider", {}]}', "PAYMENT_VARIANTS: a is play money"),
        ("PAYMENT_VARIANTS", '{"a": ["orders.providers.PlayMoneyProvider", {}]}', "PAYMENT_VARIANTS: a is play money"),
    ],
)
def test_production_with_a_wrong_variable_does_not_start_and_says_why(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, words: str
):
    for each, right in {**chosen(Path("/srv")), "PAYMENT_VARIANT": "card", name: value}.items():
        monkeypatch.setenv(each, right)

    with pytest.raises(ImproperlyConfigured, match=f"^{re.escape(words)}"):
        read_what_is_chosen(Env())


def read_what_is_chosen(env: Env) -> None:
    environment.site_url(env, demo=False)
    environment.payment_variant(env, environment.payment_variants(env))


def test_production_passes_the_check_before_deployment(collected: dict[str, str]):
    checked = manage("check", "--deploy", "--fail-level", "WARNING", environment=collected)

    said = "System check identified no issues (0 silenced).\n"
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, said, "")


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("STATIC_ROOT", "/nowhere", "There are no static files in /nowhere: run manage.py collectstatic."),
        ("PAYMENT_VARIANTS", '{"card": ["payments.paypal.Cash", {}]}', "PAYMENT_VARIANTS: card does not work: "),
        ("SECRET_KEY", "short", "(security.W009)"),
    ],
)
def test_check_before_deployment_names_what_would_fail_later(
    collected: dict[str, str], name: str, value: str, words: str
):
    checked = manage("check", "--deploy", "--fail-level", "WARNING", environment={**collected, name: value})

    assert checked.returncode == 1
    assert words in checked.stderr


def test_modules_import_each_other_by_hashed_names(collected: dict[str, str]):
    folder = Path(collected["STATIC_ROOT"], "js")
    ours = {path.stem for path in (PROJECT / "static" / "js").glob("*.js")}
    hashed = [path for path in folder.glob("*.js") if HASHED.search(path.name)]
    imported = {path.name: IMPORTED.findall(path.read_text()) for path in hashed}

    assert {name.partition(".")[0] for name in imported} == ours
    names = [name for found in imported.values() for name in found]
    assert len(names) == sum(
        len(IMPORTED.findall(path.read_text())) for path in (PROJECT / "static" / "js").glob("*.js")
    )
    assert [name for name in names if not HASHED.search(name) or not (folder / name).exists()] == []


def test_production_is_served_by_https_alone_and_strictly(web: httpx.Client):
    plain = web.get("/", headers={"X-Forwarded-Proto": "http"})
    page = web.get("/")
    form = web.get("/account/login/")

    assert (plain.status_code, plain.headers["Location"]) == (301, f"https://{web.base_url.netloc.decode()}/")
    assert page.status_code == 200
    served = {name: page.headers[name] for name in STRICT_HEADERS}
    assert served == STRICT_HEADERS
    cookies = form.headers.get_list("Set-Cookie")
    assert [cookie for cookie in cookies if "; Secure" not in cookie] == []
    assert len(cookies) == 1
    assert (web.get("/mail/").status_code, web.get("/media/poster.jpg").status_code) == (404, 404)


STRICT_HEADERS = {
    "Content-Security-Policy": "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    "Strict-Transport-Security": "max-age=31536000; includeSubDomains; preload",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}


def test_static_files_are_hashed_compressed_and_kept_for_good(web: httpx.Client):
    text = web.get("/").text
    addresses = sorted(set(re.findall(r'(?:href|src)="(/static/[^"]+)"', text)))
    answers = {address: web.get(address, headers={"Accept-Encoding": "gzip"}) for address in addresses}

    assert [address for address in addresses if not HASHED.search(address)] == []
    assert {Path(address).suffix for address in addresses} == {".css", ".js", ".svg"}
    assert {(answer.status_code, answer.headers["Cache-Control"]) for answer in answers.values()} == {(200, FOR_GOOD)}
    assert {answer.headers["Content-Encoding"] for address, answer in answers.items() if ".svg" not in address} == {
        "gzip"
    }
    assert "immutable" not in web.get("/static/css/fairline.css").headers["Cache-Control"]
