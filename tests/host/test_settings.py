import base64
import json
from pathlib import Path

import pytest

from services.host.boot import BootError
from services.host.settings import Settings, load_settings

KEY = base64.b64encode(b"k" * 32).decode()
INDEX = base64.b64encode(b"i" * 32).decode()
RING = {"current": "2026a", "keys": {"2026a": KEY}}
PRODUCTION = {
    "QIANTANG_ENV": "production",
    "DATABASE_URL": "postgresql://qiantang_runtime:pa55word@db.example/qiantang",
    "QIANTANG_PERSONAL_DATA_KEYS": json.dumps({**RING, "index": INDEX}),
    "QIANTANG_TOKEN_KEYS": json.dumps(RING),
    "QIANTANG_SECRET_KEY": KEY,
    "QIANTANG_PROVIDERS_DIRECTORY": "providers",
    "QIANTANG_PUBLIC_URL": "https://api.example.com",
}


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """An environment without settings of ours; what a process is started with, not a patch."""
    for name in ("DATABASE_URL", "DATABASE_OWNER_URL", "PROMETHEUS_MULTIPROC_DIR"):
        monkeypatch.delenv(name, raising=False)
    for field in Settings.model_fields:
        monkeypatch.delenv(f"QIANTANG_{field.upper()}", raising=False)
    return monkeypatch


def start(environment: pytest.MonkeyPatch, **variables: str | None) -> Settings:
    for name, value in {**PRODUCTION, **variables}.items():
        if value is None:
            environment.delenv(name, raising=False)
        else:
            environment.setenv(name, value)
    return load_settings()


def test_development_needs_nothing(environment: pytest.MonkeyPatch, tmp_path: Path) -> None:
    environment.setenv("QIANTANG_DATA_DIRECTORY", str(tmp_path))
    settings = load_settings()
    assert not settings.production
    assert settings.docs_served
    keys = settings.keys
    assert load_settings().keys == keys, "keys are kept from one start to the next"
    stored = tmp_path / "keys" / "development.json"
    assert stored.stat().st_mode & 0o077 == 0
    assert not (tmp_path / "postgres").exists()


def test_an_owner_alone_does_not_silently_mean_the_embedded_database(
    environment: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    environment.setenv("QIANTANG_DATA_DIRECTORY", str(tmp_path))
    environment.setenv("DATABASE_OWNER_URL", "postgresql://owner@db.example/qiantang")
    with pytest.raises(BootError, match="Set DATABASE_URL as well"):
        load_settings()


def test_production_starts_when_everything_is_set(environment: pytest.MonkeyPatch) -> None:
    settings = start(environment)
    assert settings.production
    assert not settings.docs_served
    assert settings.keys.personal_data.exposed() == {"2026a": b"k" * 32}


@pytest.mark.parametrize(
    "name",
    [
        "DATABASE_URL",
        "QIANTANG_PERSONAL_DATA_KEYS",
        "QIANTANG_TOKEN_KEYS",
        "QIANTANG_SECRET_KEY",
        "QIANTANG_PROVIDERS_DIRECTORY",
        "QIANTANG_PUBLIC_URL",
    ],
)
def test_production_names_what_is_missing(environment: pytest.MonkeyPatch, name: str) -> None:
    with pytest.raises(BootError, match=f"^Set {name} to .*[.]$") as caught:
        start(environment, **{name: None})
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("QIANTANG_SIMULATOR_URL", "http://127.0.0.1:9000"),
        ("QIANTANG_CLOCK_OFFSET_FILE", "clock"),
        ("QIANTANG_CALLBACK_HOSTS_ALLOWED", '["127.0.0.1:9100"]'),
    ],
)
def test_production_refuses_what_is_for_development(
    environment: pytest.MonkeyPatch, name: str, value: str
) -> None:
    with pytest.raises(BootError, match=f"^Unset {name}, which is refused"):
        start(environment, **{name: value})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("QIANTANG_ENV", "staging"),
        ("QIANTANG_LOG_LEVEL", "LOUD"),
        ("QIANTANG_SECRET_KEY", "c2hvcnQgc2VjcmV0"),
        ("QIANTANG_SECRET_KEY", "not base64 s3cret"),
        ("QIANTANG_TOKEN_KEYS", json.dumps({"current": "b", "keys": {"a": KEY}})),
        ("QIANTANG_TOKEN_KEYS", json.dumps({"current": "a", "keys": {"a": "s3cret"}})),
        ("QIANTANG_TOKEN_KEYS", "s3cret, not JSON"),
        ("QIANTANG_PUBLIC_URL", "http://api.example.com"),
        ("QIANTANG_TRUSTED_PROXIES", "many"),
    ],
)
def test_a_wrong_value_is_named_and_never_repeated(
    environment: pytest.MonkeyPatch, name: str, value: str
) -> None:
    with pytest.raises(BootError, match=name) as caught:
        start(environment, **{name: value})
    sentence = str(caught.value)
    assert "\n" not in sentence
    assert "s3cret" not in sentence
    assert KEY not in sentence


def test_secrets_may_be_files(environment: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "qiantang_secret_key").write_text(KEY)
    (tmp_path / "database_url").write_text(PRODUCTION["DATABASE_URL"])
    environment.setenv("QIANTANG_SECRETS_DIRECTORY", str(tmp_path))
    settings = start(environment, QIANTANG_SECRET_KEY=None, DATABASE_URL=None)
    assert settings.keys.secret.get_secret_value() == b"k" * 32
    assert settings.database_url == PRODUCTION["DATABASE_URL"]


def test_a_secrets_directory_that_is_none_is_named(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("QIANTANG_SECRETS_DIRECTORY", "nowhere")
    with pytest.raises(BootError, match="QIANTANG_SECRETS_DIRECTORY names nowhere"):
        load_settings()


def test_settings_can_be_logged(environment: pytest.MonkeyPatch) -> None:
    settings = start(environment)
    shown = f"{settings!r} {settings.keys!r}"
    assert "pa55word" not in shown
    assert KEY not in shown
    assert "kkkk" not in shown
