"""What the guides say of commands, settings, figures and parts is so."""

import re
import shlex
import shutil
import subprocess
from email.message import EmailMessage
from pathlib import Path

import dkim  # type: ignore[import-untyped]
import pytest
import typer
from typer.core import TyperGroup

from services import settings
from services.channels.dkim_signing import Signer
from services.cli.app import app
from services.manage import backlogs, health
from services.runtime import Runtime
from services.settings import PREFIX, SECRETS, Settings
from tests.docs import guides

GUIDE = "operators.md"
TEXTS = [
    *(guides.DOCS / name for name in guides.GUIDES),
    guides.ROOT / "README.md",
    guides.ROOT / "ARCHITECTURE.md",
]
COMMAND = re.compile(r"^(?:docker compose exec \w+ )?(goniec .*)$", re.MULTILINE)
FENCED = [
    one
    for name in guides.GUIDES
    for block in guides.blocks(name)
    if block.language in ("console", "sh")
    for one in COMMAND.findall(block.text)
]


@pytest.mark.parametrize("line", FENCED)
def test_every_command_shown_can_be_typed_so(line: str) -> None:
    command, rest = found(shlex.split(line)[1:])
    with command.make_context("goniec", rest):
        pass


def test_every_command_named_in_passing_exists_with_its_options() -> None:
    named = [
        code for path in TEXTS for code in guides.codes(path.read_text("utf-8")) if code.startswith("goniec ")
    ]
    assert named
    for line in named:
        words = shlex.split(line.replace("…", ""))[1:]
        command, rest = found(words)
        known = {option for one in command.params for option in one.opts}
        assert {word.partition("=")[0] for word in rest if word.startswith("--")} <= known, line


def found(words: list[str]) -> tuple[typer.core.TyperCommand | TyperGroup, list[str]]:
    """The command that words name, and what is left of them."""
    command = typer.main.get_command(app)
    while isinstance(command, TyperGroup) and words and not words[0].startswith("-"):
        assert words[0] in command.commands, f"there is no command goniec {words[0]}"
        command, words = command.commands[words[0]], words[1:]
    assert isinstance(command, typer.core.TyperCommand | TyperGroup)
    return command, words


def test_the_table_of_settings_is_that_of_the_code() -> None:
    shown = {guides.codes(row[0])[0]: row for row in guides.rows(GUIDE, "| setting |")}
    assert set(shown) == {PREFIX + name.upper() for name in Settings.model_fields}
    assert {name for name, row in shown.items() if row[2] == "✓"} == {PREFIX + n.upper() for n in SECRETS}
    usual = settings.of()
    for name, row in shown.items():
        field = name.removeprefix(PREFIX).lower()
        value = ".goniec" if field == "data_dir" else getattr(usual, field)
        told = guides.codes(row[1])
        assert told == ([str(value)] if value not in (None, "", ()) else []), name


def test_every_setting_named_anywhere_exists() -> None:
    for path in TEXTS:
        named = dict.fromkeys(re.findall(rf"{PREFIX}[A-Z_]+", path.read_text("utf-8")), "x")
        assert settings.unknown_names(named) == [], path.name


def test_the_figures_to_watch_are_those_that_are_shown(rt: Runtime) -> None:
    rt.metrics.attempts("email", "sent")
    rt.metrics.handled("match", "matched")
    rt.metrics.error("api")
    rt.metrics.candidates(issued=1, excluded=["left"], waiting=0)
    rt.metrics.sent_after("webhook", [0.1])
    shown = rt.metrics.render(backlogs.waiting(rt), {"2/4": (3, 90.0)}).decode()
    families = re.findall(r"^# TYPE (goniec_\w+) ", shown, re.MULTILINE)
    told = {guides.codes(row[0])[0]: guides.codes(row[1]) for row in guides.rows(GUIDE, "| metric |")}
    assert sorted(told) == sorted(name for name in families if not name.endswith("_created"))
    for name, labels in told.items():
        sample = re.search(rf"^{name}\w*{{(.*?)}}", shown, re.MULTILINE)
        assert sample is not None
        assert set(labels) <= set(re.findall(r"(\w+)=", sample[1])), name
    assert f"above {health.LATE.total_seconds():.0f} for" in guides.read(GUIDE)


def test_the_parts_named_are_in_the_compose_file() -> None:
    compose = (guides.ROOT / "docker-compose.yml").read_text("utf-8")
    parts = set(re.findall(r"^  (\w+):", compose.partition("\nservices:")[2], re.MULTILINE))
    named = re.findall(r"docker compose (?:exec|run --rm) (\w+)", guides.read(GUIDE))
    assert named
    assert set(named) | {"mail", "web"} <= parts


def test_the_make_targets_named_exist() -> None:
    makefile = (guides.ROOT / "Makefile").read_text("utf-8")
    targets = set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE))
    for path in TEXTS:
        named = re.findall(r"^make ([a-z]+)|`make ([a-z]+)", path.read_text("utf-8"), re.MULTILINE)
        assert {first or second for first, second in named} <= targets, path.name


def test_a_dkim_key_made_as_told_signs_mail_that_others_accept(tmp_path: Path) -> None:
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not on the PATH: the making of a DKIM key is left out")
    (made,) = [one.text for one in guides.blocks(GUIDE, "sh") if "openssl" in one.text]
    out = subprocess.run(made, shell=True, cwd=tmp_path, capture_output=True, check=True).stdout
    (record,) = [one.text for one in guides.blocks(GUIDE, "") if "_domainkey" in one.text]
    name, kind, value = re.split(r"\s+", record.strip(), maxsplit=2)
    assert kind == "TXT"
    answer = value.strip('"').replace("PUBLIC", out.decode().strip()).encode()
    selector, _, domain = name.rstrip(".").partition("._domainkey.")
    letter = EmailMessage()
    letter["From"], letter["Subject"] = f"goniec@{domain}", "Nabór"
    letter.set_content("Dzień dobry.\n")
    message = letter.as_bytes().replace(b"\n", b"\r\n")
    signed = Signer(domain, selector, (tmp_path / "dkim.pem").read_text())(message)
    asked = {name.encode(): answer}
    assert dkim.verify(signed, dnsfunc=lambda asked_for, timeout: asked[asked_for])  # noqa: ARG005
