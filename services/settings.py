"""What the operator decides: the only reader of the environment and of `.env`.

A wrong or missing setting ends in one `SettingsError` sentence that names it and never shows a secret.
"""

import os
import re
import secrets
from collections.abc import Mapping
from datetime import date
from email.utils import parseaddr
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from dotenv import dotenv_values
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator
from pydantic_core import ErrorDetails

from services.errors import SettingsError

PREFIX = "GONIEC_"
SECRET_KEY_FILE = "secret.key"  # in the data folder, mode 0600
MIN_SECRET_LENGTH = 16
MAX_SHARDS = 64

Network = IPv4Network | IPv6Network
Secret = Annotated[str, Field(repr=False)]
MaybeSecret = Annotated[str | None, Field(repr=False)]

SECRETS = frozenset(
    {
        "secret_key",
        "database_url",
        "redis_url",
        "smtp_url",
        "sendgrid_api_key",
        "sendgrid_events_key",
        "dkim_key",
    }
)
EXPECTED = {
    "welcome": "must be on or off",
    "goodbye": "must be on or off",
    "reconsent_after_days": "must be a number of days, 90 or more, or nothing: then nobody is asked",
    "websub": "must be on or off",
    "port": "must be a number from 1 to 65535",
    "mail": "must be outbox, smtp or sendgrid",
    "log": "must be json or text",
    "sendgrid_sandbox": "must be true or false",
    "mail_per_second": "must be a number above 0: how many mails a second may leave",
    "mail_per_second_a_domain": "must be a number above 0: how many mails a second one domain may get",
    "mail_warm_up": "must be the first day of sending, as 2026-12-01",
    "intake_port": "must be a number from 1 to 65535",
}


class Settings(BaseModel):
    """One process's settings; values only, so that tests build it without an environment."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    data_dir: Path = Field(default=Path(".goniec"), validate_default=True)
    port: int = Field(default=8000, ge=1, le=65535)
    base_url: str = ""
    secret_key: Secret = ""
    database_url: MaybeSecret = None
    redis_url: MaybeSecret = None
    mail: Literal["outbox", "smtp", "sendgrid"] = "outbox"
    mail_from: str = ""
    smtp_url: MaybeSecret = None
    mail_per_second: float | None = Field(default=None, gt=0)
    mail_per_second_a_domain: float | None = Field(default=None, gt=0)
    mail_warm_up: date | None = None
    sendgrid_api_key: MaybeSecret = None
    sendgrid_host: str = "https://api.sendgrid.com"
    sendgrid_events_key: MaybeSecret = None
    sendgrid_sandbox: bool = False
    bounces_dir: Path | None = None
    intake_host: str = "127.0.0.1"
    intake_port: int | None = Field(default=None, ge=1, le=65535)
    dkim_domain: str | None = None
    dkim_selector: str | None = None
    dkim_key: MaybeSecret = None
    match_shard: str = "1/1"
    allow_networks: tuple[Network, ...] = ()
    contact_url: str = ""
    operator_name: str = "Goniec"
    welcome: bool = True
    goodbye: bool = True
    reconsent_after_days: int | None = Field(default=None, ge=90, le=3650)
    websub: bool = True
    log: Literal["json", "text"] = "text"

    @field_validator("data_dir")
    @classmethod
    def _absolute(cls, value: Path) -> Path:
        return value.expanduser().absolute()

    @field_validator("bounces_dir")
    @classmethod
    def _whole_path(cls, value: Path | None) -> Path | None:
        return value.expanduser().absolute() if value else None

    @field_validator("base_url", "contact_url", "sendgrid_host")
    @classmethod
    def _web_address(cls, value: str) -> str:
        if value and not (_is_url(value, ("http", "https"))):
            raise ValueError("must be an address such as https://goniec.example")
        return value.rstrip("/")

    @field_validator("database_url")
    @classmethod
    def _database_address(cls, value: str | None) -> str | None:
        if value is None:
            return None
        if not re.match(r"postgres(ql)?(\+psycopg)?://", value):
            raise ValueError("must be an address such as postgresql://user:password@host:5432/goniec")
        return re.sub(r"^[a-z+]+://", "postgresql+psycopg://", value)

    @field_validator("redis_url")
    @classmethod
    def _redis_address(cls, value: str | None) -> str | None:
        if value and not (_is_url(value, ("redis", "rediss")) or value.startswith("unix://")):
            raise ValueError("must be an address such as redis://host:6379/0")
        return value

    @field_validator("smtp_url")
    @classmethod
    def _smtp_address(cls, value: str | None) -> str | None:
        if value and not _is_url(value, ("smtp", "smtps", "smtp+starttls")):
            raise ValueError("must be an address such as smtp://user:password@host:587")
        return value

    @field_validator("mail_from")
    @classmethod
    def _sender(cls, value: str) -> str:
        address = parseaddr(value)[1]
        if value and (not re.fullmatch(r"[^@\s]+@[^@\s]+", address) or "\n" in value or "\r" in value):
            raise ValueError("must be an e-mail address such as Goniec <goniec@goniec.example>")
        return value

    @field_validator("secret_key")
    @classmethod
    def _long_enough(cls, value: str) -> str:
        if value and len(value) < MIN_SECRET_LENGTH:
            raise ValueError(f"must have at least {MIN_SECRET_LENGTH} characters")
        return value

    @field_validator("match_shard")
    @classmethod
    def _share(cls, value: str) -> str:
        number, _, of = value.partition("/")
        if not (re.fullmatch(r"\d{1,2}/\d{1,2}", value) and 1 <= int(number) <= int(of) <= MAX_SHARDS):
            raise ValueError(f"must be a share such as 2/4, the second of four (at most {MAX_SHARDS})")
        return value

    @field_validator("allow_networks", mode="before")
    @classmethod
    def _networks(cls, value: object) -> object:
        return _read_networks(value) if isinstance(value, str) else value

    @model_validator(mode="before")
    @classmethod
    def _local_address(cls, values: Any) -> Any:
        if isinstance(values, dict) and not values.get("base_url"):
            return {**values, "base_url": f"http://localhost:{values.get('port', 8000)}"}
        return values

    @model_validator(mode="before")
    @classmethod
    def _blank_is_missing(cls, values: Any) -> Any:
        if not isinstance(values, dict):
            return values
        return {name: value for name, value in values.items() if value not in ("", None)}

    @model_validator(mode="after")
    def _complete(self) -> Self:
        for name, reason in _missing(self):
            raise ValueError(f"{PREFIX}{name.upper()} is missing: {reason}.")
        return self


def _missing(settings: Settings) -> list[tuple[str, str]]:
    """Settings that others make necessary, with the reason."""
    needs: list[tuple[str, str]] = []
    if settings.mail == "smtp" and not settings.smtp_url:
        needs.append(("smtp_url", "GONIEC_MAIL=smtp needs the mail server's address"))
    if settings.mail == "sendgrid" and not settings.sendgrid_api_key:
        needs.append(("sendgrid_api_key", "GONIEC_MAIL=sendgrid needs the account's key"))
    if settings.mail != "outbox" and not settings.mail_from:
        needs.append(("mail_from", f"GONIEC_MAIL={settings.mail} needs the sender's address"))
    if settings.mail_warm_up and not settings.mail_per_second:
        needs.append(("mail_per_second", "GONIEC_MAIL_WARM_UP is set, and needs the pace that it leads to"))
    if settings.dkim_domain and not settings.dkim_selector:
        needs.append(("dkim_selector", "GONIEC_DKIM_DOMAIN is set, and signing needs the selector"))
    if settings.dkim_domain and not settings.dkim_key:
        needs.append(("dkim_key_file", "GONIEC_DKIM_DOMAIN is set, and signing needs the private key"))
    return needs


def load(
    environ: Mapping[str, str] | None = None, *, env_file: Path = Path(".env"), **given: Any
) -> Settings:
    """The settings of this process: `given` (options of a command) before the environment before `.env`.

    The secret key is made once, in the data folder, where none is given.
    """
    surroundings = os.environ if environ is None else environ
    values = _from(_file_values(env_file)) | _from(surroundings)
    values |= {name: value for name, value in given.items() if value is not None}
    settings = of(**values)
    if settings.secret_key:
        return settings
    return settings.model_copy(update={"secret_key": _kept_secret(settings.data_dir)})


def of(**values: Any) -> Settings:
    """Settings from values alone, with faults told as `SettingsError`."""
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        raise SettingsError(_sentence(error.errors(include_url=False)[0])) from None


def unknown_names(environ: Mapping[str, str] | None = None) -> list[str]:
    """Names that look like settings and are none (a slip of the pen, told by `goniec doctor`)."""
    surroundings = os.environ if environ is None else environ
    known = {name.upper() for name in Settings.model_fields} | {f"{name.upper()}_FILE" for name in SECRETS}
    known |= {"CHROMIUM", "SPAMASSASSIN"}  # read by tests
    return sorted(n for n in surroundings if n.startswith(PREFIX) and n.removeprefix(PREFIX) not in known)


def child_environment(settings: Settings) -> dict[str, str]:
    """The environment of a part started by this process: what is here, and these settings."""
    kept = {n: v for n, v in os.environ.items() if not n.startswith(PREFIX) or n in unknown_names()}
    named = {
        PREFIX + name.upper(): _written(value) for name, value in settings if value not in (None, "", ())
    }
    return kept | named


def _written(value: object) -> str:
    return ",".join(str(item) for item in value) if isinstance(value, tuple) else str(value)


def _file_values(path: Path) -> dict[str, str]:
    try:
        return {name: value for name, value in dotenv_values(path).items() if value is not None}
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"The settings file {path} cannot be read: {error}.") from error


def _from(surroundings: Mapping[str, str]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name in Settings.model_fields:
        variable = PREFIX + name.upper()
        if surroundings.get(variable):
            values[name] = surroundings[variable]
        if name in SECRETS and (file := surroundings.get(f"{variable}_FILE")):
            if name in values:
                raise SettingsError(f"{variable} and {variable}_FILE are both set: keep one of them.")
            values[name] = _secret_from(Path(file), f"{variable}_FILE")
    return values


def _secret_from(path: Path, variable: str) -> str:
    try:
        value = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not a text"
        raise SettingsError(f"{variable} names {path}, which cannot be read: {reason}.") from error
    if not value:
        raise SettingsError(f"{variable} names {path}, which is empty.")
    return value


def _read_networks(text: str) -> tuple[Network, ...]:
    names = [name.strip() for name in text.split(",") if name.strip()]
    try:
        return tuple(ip_network(name) for name in names)
    except ValueError as error:
        raise ValueError("must be networks such as 10.0.0.0/8,192.168.1.7, separated by commas") from error


def _is_url(value: str, schemes: tuple[str, ...]) -> bool:
    try:
        parts = urlsplit(value)
        return parts.scheme in schemes and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _sentence(error: ErrorDetails) -> str:
    if error["type"] == "value_error" and not error["loc"]:
        return str(error["ctx"]["error"])
    name = str(error["loc"][0])
    if error["type"] == "extra_forbidden":
        return f"{PREFIX}{name.upper()} is not a setting of Goniec."
    told = str(error["ctx"]["error"]) if error["type"] == "value_error" else error["msg"].lower()
    return f"{PREFIX}{name.upper()} {EXPECTED.get(name, told)}."


def _kept_secret(data_dir: Path) -> str:
    """The key in the data folder, made at the first start; of two first starts at once, one key wins."""
    path = data_dir / SECRET_KEY_FILE
    try:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not path.exists():
            _place(path, secrets.token_urlsafe(48))
        return _secret_from(path, "GONIEC_SECRET_KEY_FILE")
    except OSError as error:
        raise SettingsError(
            f"GONIEC_SECRET_KEY is missing and GONIEC_DATA_DIR {data_dir} cannot keep it: {error.strerror}."
        ) from error


def _place(path: Path, secret: str) -> None:
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(secret + "\n")
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
