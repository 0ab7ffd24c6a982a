"""Settings: the only reader of the environment, checked when the process boots.

Every variable is `QIANTANG_…` except DATABASE_URL, DATABASE_OWNER_URL and PROMETHEUS_MULTIPROC_DIR,
whose names are customary. A variable may also be a file of its (lower-case) name in the directory
that QIANTANG_SECRETS_DIRECTORY names, which is how container platforms hand over secrets.
Development needs none of them.
"""

import os
from functools import cached_property
from pathlib import Path
from typing import Any, Final, Literal, Self, cast

from pydantic import Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from services.host.boot import BootError
from services.host.keys import KeyRing, Keys, PersonalDataKeys, SecretKey, development_keys

PREFIX: Final = "QIANTANG_"
SECRETS_DIRECTORY: Final = "QIANTANG_SECRETS_DIRECTORY"
MULTIPROCESS: Final = "PROMETHEUS_MULTIPROC_DIR"


class Settings(BaseSettings):
    """What may differ between two installations; everything else is code.

    Tests and other embedders give fields by keyword: `Settings(environment="development")`.
    """

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        frozen=True,
        extra="ignore",
        populate_by_name=True,
        hide_input_in_errors=True,
        validate_default=False,
    )

    environment: Literal["development", "production"] = Field(
        default="development", validation_alias=f"{PREFIX}ENV"
    )
    database_url: str | None = Field(
        default=None,
        repr=False,
        validation_alias="DATABASE_URL",
        description="Where PostgreSQL is, for the runtime role; unset starts the embedded one.",
    )
    database_owner_url: str | None = Field(
        default=None,
        repr=False,
        validation_alias="DATABASE_OWNER_URL",
        description="The same database for its owner; migrations only.",
    )
    data_directory: Path = Field(
        default=Path(".data"), description="The embedded database, development keys, exports."
    )
    public_url: str = Field(
        default="http://127.0.0.1:8000",
        description="Where the world reaches us, without a path; provider callbacks start with it.",
    )
    trusted_proxies: int = Field(
        default=0, ge=0, le=4, description="How many proxies of ours stand in front."
    )
    providers_directory: Path | None = Field(
        default=None, description="Provider accounts and their keys; see payments/providers."
    )
    simulator_url: str | None = Field(
        default=None, description="Where the simulator listens; development only."
    )
    clock_offset_file: Path | None = Field(
        default=None, description="Seconds added to the clock; development only."
    )
    callback_hosts_allowed: frozenset[str] = Field(
        default=frozenset(),
        description="Private host:port that merchants' endpoints may name; development only.",
    )
    personal_data_keys: PersonalDataKeys | None = None
    token_keys: KeyRing | None = None
    secret_key: SecretKey | None = None
    docs: bool | None = Field(
        default=None, description="Serve /docs; unset means only in development."
    )
    metrics_directory: Path | None = Field(
        default=None,
        validation_alias=MULTIPROCESS,
        description="Where processes add up their figures; the gunicorn configuration sets it.",
    )
    metrics_token: SecretStr | None = Field(
        default=None, description="Bearer token of /metrics, which production serves with it only."
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"

    @property
    def production(self) -> bool:
        """Whether real money and real people are on the other side."""
        return self.environment == "production"

    @property
    def docs_served(self) -> bool:
        """Whether the docs page answers."""
        return not self.production if self.docs is None else self.docs

    @property
    def accounts_directory(self) -> Path:
        """Where provider accounts and their keys lie; in development beside our own keys."""
        return self.providers_directory or self.data_directory / "keys" / "providers"

    @cached_property
    def keys(self) -> Keys:
        """Our own keys; in development those not set are made on first use and kept."""
        given = self.personal_data_keys, self.token_keys, self.secret_key
        if all(part is not None for part in given):
            personal_data, tokens, secret = given
            assert personal_data is not None
            assert tokens is not None
            assert secret is not None
            return Keys(personal_data=personal_data, tokens=tokens, secret=secret)
        made = development_keys(self.data_directory / "keys")
        return Keys(
            personal_data=self.personal_data_keys or made.personal_data,
            tokens=self.token_keys or made.tokens,
            secret=self.secret_key or made.secret,
        )

    @model_validator(mode="after")
    def check_owner(self) -> Self:
        """Refuse an owner's address alone: it would be ignored, and the embedded database used."""
        if self.database_owner_url is not None and self.database_url is None:
            raise ValueError("set DATABASE_URL as well: DATABASE_OWNER_URL is the same database")
        return self

    @model_validator(mode="after")
    def check_production(self) -> Self:
        """Refuse in production what is only for development, and name what is missing."""
        if not self.production:
            return self
        for name, value, remedy in (
            ("DATABASE_URL", self.database_url, "to your PostgreSQL; the embedded one is refused"),
            ("QIANTANG_PERSONAL_DATA_KEYS", self.personal_data_keys, "to the key ring"),
            ("QIANTANG_TOKEN_KEYS", self.token_keys, "to the key ring"),
            ("QIANTANG_SECRET_KEY", self.secret_key, "to 32 random bytes in base64"),
            ("QIANTANG_PROVIDERS_DIRECTORY", self.providers_directory, "to the accounts' folder"),
        ):
            if value is None:
                raise ValueError(f"set {name} {remedy}, because QIANTANG_ENV is production")
        for name, unwanted in (
            ("QIANTANG_SIMULATOR_URL", self.simulator_url),
            ("QIANTANG_CLOCK_OFFSET_FILE", self.clock_offset_file),
            ("QIANTANG_CALLBACK_HOSTS_ALLOWED", self.callback_hosts_allowed),
        ):
            if unwanted:
                raise ValueError(f"unset {name}, which is refused when QIANTANG_ENV is production")
        if not self.public_url.startswith("https://"):
            raise ValueError("set QIANTANG_PUBLIC_URL to the https address the world reaches us by")
        return self


def load_settings() -> Settings:
    """Read the environment. Raises BootError with one sentence that says what to do."""
    secrets = os.environ.get(SECRETS_DIRECTORY)
    if secrets is not None and not Path(secrets).is_dir():
        raise BootError(f"{SECRETS_DIRECTORY} names {secrets}, which is no directory: correct it.")
    try:
        return Settings(**cast("dict[str, Any]", {"_secrets_dir": secrets}))
    except ValidationError as error:
        raise BootError(_sentence(error)) from None


def _sentence(error: ValidationError) -> str:
    """Say the first thing that is wrong, without repeating the value, which may be a secret."""
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    message = str(first["msg"]).removeprefix("Value error, ")
    if not first["loc"]:
        return f"{message[0].upper()}{message[1:]}."
    name = str(first["loc"][0])
    variable = name if name.isupper() else f"{PREFIX}{name.upper()}"
    return f"Correct {variable}: {message[0].lower()}{message[1:]}."
