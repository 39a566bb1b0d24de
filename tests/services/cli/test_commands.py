"""The commands of `goniec`, run as an operator runs them, on a real database."""

import json
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import structlog

from services.cli import app as cli
from services.cli import opening
from services.clock import FrozenClock, SystemClock
from services.pipeline import replay
from services.runtime import Runtime
from services.settings import child_environment
from services.storage import audit, held
from tests import factories
from tests.doubles.web import Answer, WebDouble

FEED = b"<rss><channel><title>Feed</title><item><title>A</title><guid>1</guid></item></channel></rss>"
ANNA = "anna@mail.example"


@dataclass(frozen=True)
class Said:
    """How a command ended and what it said."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Goniec = Callable[..., Said]


@pytest.fixture
def goniec(
    rt: Runtime, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Goniec]:
    """Runs a command in this process, on the database of `rt`."""
    for name, value in child_environment(rt.settings).items():
        if name.startswith("GONIEC_"):
            monkeypatch.setenv(name, value)
    root = logging.getLogger()
    level, handlers = root.level, root.handlers[:]

    def run(*arguments: str) -> Said:
        capsys.readouterr()
        code = cli.run(arguments)
        out, err = capsys.readouterr()
        return Said(code, out, err)

    yield run
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()
    opening.choices.data_dir, opening.choices.debug = None, False


@pytest.fixture
def web() -> Iterator[WebDouble]:
    with WebDouble() as double:
        double.answer("/rss", Answer(body=FEED))
        double.answer("/hook", Answer(status=204))
        yield double


COMMANDS = [
    ["up"], ["web"], ["worker"], ["scheduler"], ["migrate"], ["doctor"], ["institution", "add"],
    ["institution", "list"], ["institution", "show"], ["source", "add"], ["source", "list"],
    ["source", "show"], ["source", "poll"], ["source", "import"], ["source", "export"], ["key", "create"],
    ["subscriber", "add"], ["subscriber", "show"], ["subscriber", "export"], ["subscriber", "erase"],
    ["subscriber", "change"],
    ["endpoint", "add"], ["endpoint", "list"], ["endpoint", "test"], ["endpoint", "rotate"],
    ["endpoint", "replay"], ["endpoint", "replays"], ["endpoint", "cancel"], ["endpoint", "resend"],
    ["endpoint", "check"],
    ["interest", "check"], ["why"], ["sweep"], ["requeue"], ["outbox"], [],
]  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_explains_itself(goniec: Goniec, command: list[str]) -> None:
    said = goniec(*command, "--help")
    assert said.code == 0
    assert "Usage: goniec" in said.out


@pytest.mark.parametrize(
    "wrong",
    [
        ["frobnicate"],
        ["institution", "add"],
        ["institution", "add", "Urząd", "--kind", "kingdom"],
        ["key", "create"],
        ["source", "poll"],
        ["source", "show", "9" * 20],
        ["why", "9" * 20, ANNA],
        ["subscriber", "add", "anna", "--interest", "kind:call"],
        ["subscriber", "add", ANNA, "--interest", "kind:call", "--cadence", "often"],
        ["subscriber", "change", ANNA],
        ["subscriber", "change", ANNA, "--quiet", "at night"],
        ["endpoint", "add", "ftp://x", "--interest", "kind:call"],
        ["endpoint", "replay", "x", "--since", "yesterday"],
        ["interest", "check", "topic:"],
        ["worker", "--queues", "poll,nap"],
        ["requeue"],
        ["outbox", "--limit", "0"],
    ],
    ids=" ".join,
)
def test_wrong_use_ends_with_two_and_no_traceback(goniec: Goniec, wrong: list[str]) -> None:
    said = goniec(*wrong)
    assert said.code == 2
    assert "Error" in said.err
    assert "Traceback" not in said.err


@pytest.mark.parametrize(
    "missing",
    [
        ["institution", "show", "nobody"],
        ["source", "show", "7"],
        ["key", "revoke", "7"],
        ["subscriber", "show", ANNA],
        ["subscriber", "change", ANNA, "--quiet", "none"],
        ["endpoint", "test", "x"],
        ["why", "7", ANNA],
        ["outbox", "x"],
    ],
    ids=" ".join,
)
def test_what_is_not_there_ends_with_one(goniec: Goniec, missing: list[str]) -> None:
    said = goniec(*missing)
    assert said.code == 1
    assert said.err.startswith("Error: There is no")
    assert goniec(*missing, "--json").json["error"]["code"] == "not-found"


def test_an_institution_is_added_listed_and_shown(goniec: Goniec) -> None:
    made = goniec(
        "institution", "add", "Urząd Miasta", "--kind", "local_government", "--place", "Toruń", "--json"
    )
    assert made.json["slug"] == "urzad-miasta"
    assert "urzad-miasta" in goniec("institution", "list").out
    assert goniec("institution", "show", "urzad-miasta", "--json").json["place"] == "0463011"


def test_a_key_is_the_only_thing_on_standard_output(goniec: Goniec) -> None:
    said = goniec("key", "create", "--consumer", "Portal", "--label", "strona")
    assert said.out.startswith("gon_")
    assert len(said.out.split()) == 1
    [listed] = goniec("key", "list", "--json").json
    assert goniec("key", "revoke", str(listed["id"])).code == 0


def test_a_broken_query_is_shown_with_its_place(goniec: Goniec) -> None:
    said = goniec("interest", "check", "kind:call topic:fundng")
    assert said.code == 2
    lines = said.err.splitlines()
    place = next(n for n, line in enumerate(lines) if line.strip() == "kind:call topic:fundng")
    assert lines[place + 1].index("^") == lines[place].index("fundng")
    assert "topic:funding" in said.err
    error = goniec("interest", "check", "topic:fundng", "--json").json["error"]
    assert (error["code"], error["column"]) == ("bad-query", 7)


def test_a_query_that_begins_with_a_minus_is_a_query(goniec: Goniec) -> None:
    assert goniec("interest", "check", "-kind:tender", "topic:funding", "--json").json["count"] == 0


def test_the_pages_of_topics_have_an_address_that_expires(goniec: Goniec) -> None:
    made = goniec("topic", "page", "--hours", "2", "--json").json
    assert "/topics/" in made["page"]
    assert made["until"]
    assert goniec("topic", "page").out.strip().startswith("http")
    assert goniec("topic", "page", "--hours", "0").code == 2


def test_a_subscriber_is_added_shown_exported_and_erased(goniec: Goniec) -> None:
    said = goniec("subscriber", "add", ANNA, "--interest", "kind:call", "--label", "Nabory", "--confirmed")
    assert said.code == 0
    assert goniec("subscriber", "show", ANNA, "--json").json["subscriptions"][0]["label"] == "Nabory"
    assert goniec("subscriber", "export", ANNA).json["email"] == ANNA
    assert goniec("subscriber", "link", ANNA).out.startswith("http://goniec.example/manage/")
    assert goniec("subscriber", "erase", ANNA).code == 2
    assert goniec("subscriber", "erase", ANNA, "--yes").code == 0
    assert goniec("subscriber", "show", ANNA).code == 1


def test_an_operator_changes_when_a_subscribers_letters_come(goniec: Goniec, rt: Runtime) -> None:
    goniec("subscriber", "add", ANNA, "--interest", "kind:call", "--cadence", "usual", "--confirmed")
    change = ("subscriber", "change", ANNA)
    said = goniec(*change, "--cadence", "weekly:fri@16:00", "--quiet", "22:00-07:30", "--daily-budget", "5")
    assert "22:00-07:30" in said.out
    shown = goniec("subscriber", "show", ANNA, "--json").json
    assert (shown["cadence"], shown["daily_budget"]) == ("weekly:fri@16:00", 5)
    assert shown["subscriptions"][0]["cadence"] == "weekly:fri@16:00"
    freed = goniec(*change, "--quiet", "none", "--daily-budget", "0", "--json").json
    assert (freed["quiet_hours"], freed["daily_budget"]) == (None, None)
    with rt.begin() as session:
        (newest, _) = audit.lines(session, limit=2)
        assert (newest.action, newest.data) == (
            "subscriber.change", {"what": ["daily_budget", "quiet_hours"]}
        )  # fmt: skip


def test_an_unconfirmed_subscriber_gets_a_letter_whoever_they_are(goniec: Goniec) -> None:
    first = goniec("subscriber", "add", ANNA, "--interest", "kind:call")
    second = goniec("subscriber", "add", ANNA, "--interest", "kind:call")
    assert first.out == second.out
    assert goniec("sweep", "--here", "--json").json["due"] == ["deliver_mail"]
    letters = goniec("outbox", "--json").json
    assert [letter["to"] for letter in letters] == [ANNA, ANNA]
    assert "/confirm/" in goniec("outbox", letters[0]["key"]).out


def test_a_source_is_added_polled_and_its_visits_shown(goniec: Goniec, web: WebDouble, rt: Runtime) -> None:
    slug = factories.institution(rt)
    made = goniec("source", "add", web.url("/rss"), "--institution", slug, "--topic", "health", "--json")
    assert (made.code, made.json["title"]) == (0, "Feed")
    assert goniec("sweep", "--here").code == 0
    shown = goniec("source", "show", "1", "--json").json
    assert shown["source"]["notices"] == 1
    assert "well" in goniec("source", "list").out


def test_a_list_of_feeds_goes_in_and_out(goniec: Goniec, rt: Runtime, tmp_path: Path) -> None:
    slug = factories.institution(rt)
    address = "http://127.0.0.1:9/feed"
    goniec("source", "add", address, "--institution", slug, "--no-check")
    file = tmp_path / "feeds.opml"
    file.write_text(goniec("source", "export").out)
    [one] = goniec("source", "import", str(file), "--institution", slug, "--json").json
    assert (one["outcome"], one["address"]) == ("known", address)
    assert goniec("source", "import", str(tmp_path / "none"), "--institution", slug).code == 2


def test_an_endpoint_is_added_tried_rotated_and_replayed(
    goniec: Goniec, web: WebDouble, rt: Runtime, clock: FrozenClock
) -> None:
    clock.set(SystemClock().now())  # the time that commands have
    factories.publish(rt)
    factories.carry(rt)
    made = goniec("endpoint", "add", web.url("/hook"), "--interest", "kind:call", "--json").json
    uid = made["endpoint"]["uid"]
    assert made["secret"].startswith("whsec_")
    assert goniec("endpoint", "test", uid).code == 0
    web.answer("/hook", Answer(status=500))
    assert goniec("endpoint", "test", uid).code == 1
    assert goniec("endpoint", "rotate", uid).out.startswith("whsec_")
    assert made["secret"] not in goniec("endpoint", "list").out
    job = goniec("endpoint", "replay", uid, "--since", "7d", "--json").json
    assert (job["state"], job["total"]) == ("gathering", 0)
    said = goniec("endpoint", "replay", uid, "--since", "7d")
    assert (said.code, "under way" in said.err) == (1, True)
    web.answer("/hook", Answer(status=204))
    clock.advance(timedelta(minutes=1))
    replay.run(rt)
    factories.carry(rt)
    [sent] = goniec("endpoint", "deliveries", uid, "--json").json["items"]
    assert "1/1" in goniec("endpoint", "replays", uid).out
    assert "running" not in goniec("endpoint", "cancel", uid, job["uid"]).out
    assert goniec("endpoint", "resend", uid, sent["id"]).code == 0
    assert goniec("endpoint", "resend", uid, "msg_x").code != 0
    assert goniec("endpoint", "deliveries", uid).code == 0
    assert goniec("endpoint", "remove", uid).code == 0


def test_why_tells_each_step(goniec: Goniec, rt: Runtime) -> None:
    factories.reader(rt, ANNA)
    [one] = factories.publish(rt)
    factories.carry(rt)
    said = goniec("why", str(one.notice_id), ANNA)
    assert said.code == 0
    assert "→ Delivered." in said.out
    assert goniec("why", str(one.notice_id), ANNA, "--json").json["verdict"] == "Delivered."


def test_the_doctor_is_content_where_all_is_well(goniec: Goniec, rt: Runtime) -> None:
    rt.settings.data_dir.mkdir(exist_ok=True)
    said = goniec("doctor", "--json")
    assert (said.code, said.json["is_well"]) == (0, True)


def test_the_doctor_finds_a_dead_redis(
    goniec: Goniec, rt: Runtime, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    rt.settings.data_dir.mkdir(exist_ok=True)
    monkeypatch.setenv("GONIEC_REDIS_URL", f"unix://{tmp_path}/none.sock")
    said = goniec("doctor")
    assert said.code == 1
    assert "GONIEC_REDIS_URL" in said.out


def test_the_doctor_finds_a_wrong_setting(goniec: Goniec, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GONIEC_MAIL", "smtp")
    said = goniec("doctor")
    assert said.code == 1
    assert "GONIEC_SMTP_URL is missing" in said.out


def test_a_dead_database_is_told_in_one_sentence(goniec: Goniec, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GONIEC_DATABASE_URL", "postgresql://user:secretword@127.0.0.1:1/none")
    said = goniec("institution", "list")
    assert said.code == 1
    assert "database" in said.err
    assert "secretword" not in said.err
    assert "Traceback" not in said.err


def test_tables_of_another_version_are_not_worked_on(goniec: Goniec, rt: Runtime) -> None:
    factories.rows(rt, "DELETE FROM alembic_version RETURNING version_num")
    said = goniec("institution", "list")
    assert said.code == 1
    assert "goniec migrate" in said.err


def test_migrating_twice_changes_nothing_the_second_time(goniec: Goniec) -> None:
    assert goniec("migrate", "--json").json == {"changed": False}


def test_text_from_outside_cannot_play_with_the_terminal(goniec: Goniec, rt: Runtime) -> None:
    factories.publish(rt, factories.draft(title="\x1b[31m[bold]x[/bold] \u202ey"))
    said = goniec("interest", "check", "kind:call")
    assert "\x1b" not in said.out
    assert "[bold]x[/bold]" in said.out


def test_failed_deliveries_are_sent_again(goniec: Goniec, rt: Runtime) -> None:
    factories.reader(rt)
    factories.publish(rt)
    factories.carry(rt)
    factories.rows(rt, "UPDATE deliveries SET state = 'failed', created_at = now() RETURNING id")
    assert goniec("requeue", "--failed", "--json").json == {"email": 1}


def test_a_held_reading_is_listed_and_released_or_dropped(goniec: Goniec, rt: Runtime) -> None:
    source_id = factories.feed(rt, "http://127.0.0.1:9/feed.xml")
    for reason, way, told in (("flood", "release", "published"), ("churn", "drop", "dropped")):
        with rt.begin() as session:
            held.hold(session, source_id, [factories.draft(reason)], reason=reason, now=rt.clock.now())
        assert "five times" in goniec("source", "held").out or reason == "churn"
        (batch,) = goniec("source", "held", "--json").json["items"]
        assert (batch["reason"], batch["source"]) == (reason, source_id)
        assert goniec("source", way, str(batch["id"]), "--json").json == {"id": batch["id"], told: 1}
    assert "Nothing is held back" in goniec("source", "held").err + goniec("source", "held").out
    assert goniec("source", "drop", "99").code == 1
