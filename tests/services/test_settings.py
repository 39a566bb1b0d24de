"""What the operator decides: where it is read from, and how a fault is told."""

from pathlib import Path
from typing import Any

import pytest

from services import settings
from services.errors import SettingsError

NO_FILE = Path("there-is-no.env")


@pytest.fixture
def load(tmp_path: Path) -> Any:
    def read(environ: dict[str, str] | None = None, **given: Any) -> settings.Settings:
        named = {f"GONIEC_{name}": value for name, value in (environ or {}).items()}
        return settings.load({"GONIEC_DATA_DIR": str(tmp_path)} | named, env_file=NO_FILE, **given)

    return read


def test_nothing_needs_to_be_set(load: Any) -> None:
    found = load()
    assert found.port == 8000
    assert found.base_url == "http://localhost:8000"
    assert found.mail == "outbox"
    assert found.database_url is None
    assert found.allow_networks == ()


def test_the_default_address_follows_the_port(load: Any) -> None:
    assert load({"PORT": "9000"}).base_url == "http://localhost:9000"


def test_an_option_of_a_command_goes_before_the_environment(load: Any) -> None:
    assert load({"PORT": "9000"}, port=9001).port == 9001
    assert load({"PORT": "9000"}, port=None).port == 9000


def test_the_environment_goes_before_the_env_file(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text("GONIEC_PORT=9000\nGONIEC_OPERATOR_NAME=Kurier\n")
    found = settings.load({"GONIEC_PORT": "9001", "GONIEC_DATA_DIR": str(tmp_path)}, env_file=file)
    assert (found.port, found.operator_name) == (9001, "Kurier")


def test_a_blank_setting_is_a_missing_one(load: Any) -> None:
    assert load({"PORT": "", "DATABASE_URL": ""}).port == 8000


def test_a_secret_is_read_from_a_file(load: Any, tmp_path: Path) -> None:
    file = tmp_path / "url"
    file.write_text("postgres://goniec:very-secret@db/goniec\n")
    found = load({"DATABASE_URL_FILE": str(file)})
    assert found.database_url == "postgresql+psycopg://goniec:very-secret@db/goniec"


def test_secrets_do_not_show(load: Any) -> None:
    found = load(
        {
            "DATABASE_URL": "postgresql://goniec:very-secret@db/goniec",
            "SECRET_KEY": "very-secret very-secret",
            "MAIL": "smtp",
            "MAIL_FROM": "goniec@goniec.example",
            "SMTP_URL": "smtp://goniec:very-secret@mail:587",
        }
    )
    assert "very-secret" not in repr(found)
    assert "very-secret" not in str(found)


def test_the_secret_key_is_made_once_and_kept_for_its_owner_alone(load: Any, tmp_path: Path) -> None:
    first, second = load(), load()
    assert first.secret_key == second.secret_key
    assert len(first.secret_key) >= 32
    assert (tmp_path / "secret.key").stat().st_mode & 0o777 == 0o600
    assert not list(tmp_path.glob(".secret.key.*"))


def test_a_given_secret_key_leaves_no_file(load: Any, tmp_path: Path) -> None:
    load({"SECRET_KEY": "given from outside"})
    assert not (tmp_path / "secret.key").exists()


def test_networks_are_a_comma_list(load: Any) -> None:
    found = load({"ALLOW_NETWORKS": "127.0.0.1, 10.0.0.0/8,fd00::/8"})
    assert [str(network) for network in found.allow_networks] == ["127.0.0.1/32", "10.0.0.0/8", "fd00::/8"]


@pytest.mark.parametrize(
    ("environ", "sentence"),
    [
        ({"PORT": "x"}, "GONIEC_PORT must be a number from 1 to 65535."),
        ({"PORT": "65536"}, "GONIEC_PORT must be a number from 1 to 65535."),
        ({"MAIL": "pigeon"}, "GONIEC_MAIL must be outbox, smtp or sendgrid."),
        ({"MATCH_SHARD": "5/4"}, "GONIEC_MATCH_SHARD must be a share such as 2/4"),
        ({"MATCH_SHARD": "x"}, "GONIEC_MATCH_SHARD must be a share such as 2/4"),
        ({"LOG": "xml"}, "GONIEC_LOG must be json or text."),
        ({"BASE_URL": "goniec.example"}, "GONIEC_BASE_URL must be an address"),
        ({"BASE_URL": "http://a:99999"}, "GONIEC_BASE_URL must be an address"),
        ({"CONTACT_URL": "ftp://a"}, "GONIEC_CONTACT_URL must be an address"),
        ({"DATABASE_URL": "mysql://db/goniec"}, "GONIEC_DATABASE_URL must be an address"),
        ({"REDIS_URL": "localhost:6379"}, "GONIEC_REDIS_URL must be an address"),
        ({"ALLOW_NETWORKS": "10.0.0.1/8"}, "GONIEC_ALLOW_NETWORKS must be networks"),
        ({"SECRET_KEY": "short"}, "GONIEC_SECRET_KEY must have at least 16 characters."),
        ({"SECRET_KEY_FILE": "nowhere"}, "GONIEC_SECRET_KEY_FILE names nowhere, which cannot be read"),
        ({"MAIL_FROM": "nobody"}, "GONIEC_MAIL_FROM must be an e-mail address"),
        ({"MAIL_FROM": "a@b.example\nBcc: c@d.example"}, "GONIEC_MAIL_FROM must be an e-mail address"),
        ({"MAIL": "smtp"}, "GONIEC_SMTP_URL is missing"),
        ({"MAIL": "smtp", "SMTP_URL": "mail:25"}, "GONIEC_SMTP_URL must be an address"),
        ({"MAIL": "smtp", "SMTP_URL": "smtp://mail"}, "GONIEC_MAIL_FROM is missing"),
        ({"MAIL": "sendgrid"}, "GONIEC_SENDGRID_API_KEY is missing"),
        ({"DKIM_DOMAIN": "goniec.example"}, "GONIEC_DKIM_SELECTOR is missing"),
        ({"DKIM_DOMAIN": "goniec.example", "DKIM_SELECTOR": "a"}, "GONIEC_DKIM_KEY_FILE is missing"),
        ({"SECRET_KEY": "x" * 20, "SECRET_KEY_FILE": "y"}, "are both set"),
    ],
)
def test_a_fault_is_told_in_one_sentence_that_names_it(
    load: Any, environ: dict[str, str], sentence: str
) -> None:
    with pytest.raises(SettingsError) as told:
        load(environ)
    assert sentence in told.value.message
    assert "\n" not in told.value.message


def test_a_fault_does_not_show_the_secret(load: Any) -> None:
    with pytest.raises(SettingsError) as told:
        load({"DATABASE_URL": "mysql://goniec:very-secret@db/goniec"})
    assert "very-secret" not in told.value.message


def test_a_data_folder_that_cannot_be_written_is_told(load: Any, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SettingsError, match="GONIEC_DATA_DIR"):
        load({"DATA_DIR": str(tmp_path / "file" / "below")})


def test_a_slip_of_the_pen_is_found() -> None:
    assert settings.unknown_names({"GONIEC_SMPT_URL": "x", "GONIEC_DKIM_KEY_FILE": "x", "PATH": "/"}) == [
        "GONIEC_SMPT_URL"
    ]


def test_a_part_started_by_another_has_the_same_settings(load: Any) -> None:
    parent = load({"ALLOW_NETWORKS": "127.0.0.0/8,::1", "PORT": "9000", "LOG": "json"})
    assert settings.load(settings.child_environment(parent), env_file=NO_FILE) == parent


def test_the_default_data_folder_does_not_depend_on_where_a_part_is_started() -> None:
    assert settings.Settings(secret_key="a secret of sixteen").data_dir.is_absolute()
