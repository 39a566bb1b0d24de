"""The calls that the guides show, made on the real application: each answers what is written behind it."""

import argparse
import json
import re
import shlex
from collections.abc import Iterator
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from starlette.testclient import TestClient

from services.api import answers, errors
from services.api.app import make_app
from services.api.limits import Limits
from services.api.schemas import NoticeIn
from services.channels import webhook
from services.domain import event_types, events, retries, signing, telling
from services.domain.events import told_as
from services.domain.notices import EventType
from services.errors import GoniecError
from services.manage import accounts, endpoints, replays
from services.runtime import Runtime
from tests import factories
from tests.docs import guides
from tests.doubles.web import Answer, WebDouble

HOOK = "https://hooks.example/goniec"
UNITS = {"s": 1, "min": 60, "h": 3600}
CURL = argparse.ArgumentParser(exit_on_error=False)
CURL.add_argument("url")
CURL.add_argument("-X", dest="method", default="GET")
CURL.add_argument("-H", dest="headers", action="append", default=[])
CURL.add_argument("-d", dest="body")


@pytest.fixture
def client(rt: Runtime) -> Iterator[TestClient]:
    with TestClient(make_app(rt)) as made:
        yield made


@pytest.fixture
def receiver() -> Iterator[WebDouble]:
    with WebDouble() as web:
        web.answer("/goniec", Answer(status=204))
        yield web


def test_the_calls_of_an_institution_answer_as_claimed(rt: Runtime, client: TestClient) -> None:
    key = accounts.create_key(rt, institution=factories.institution(rt)).key
    assert play("institutions.md", client, {"$KEY": key}) >= 9


def test_the_calls_of_a_consumer_answer_as_claimed(
    rt: Runtime, client: TestClient, receiver: WebDouble
) -> None:
    key = accounts.create_key(rt, consumer="Portal").key
    assert play("webhooks.md", client, {"$KEY": key, HOOK: receiver.url("/goniec")}) >= 8
    [tested, *_] = receiver.calls
    named = [row[0] for row in guides.rows("webhooks.md", "| header |")]
    assert {name.strip("`") for name in named} <= set(tested.headers)


def play(name: str, client: TestClient, given: dict[str, str]) -> int:
    """Make every call of a guide, in order, and hold its answer against its claim; returns how many."""
    known, made = {"$GONIEC": "http://testserver", **given}, 0
    for block in guides.blocks(name, "sh"):
        for command, status, words in re.findall(r"(curl .*?)\n# → (\d+) ?([^\n]*)", block.text, re.DOTALL):
            command = command.replace("\\\n", " ").replace("wait=30", "wait=1")  # nothing will come
            for variable, value in known.items():
                command = command.replace(variable, value)
            asked = CURL.parse_args(shlex.split(command)[1:])
            headers = dict(line.split(": ", 1) for line in asked.headers)
            body = asked.body.encode() if asked.body else None
            answer = client.request(asked.method, asked.url, headers=headers, content=body)
            assert answer.status_code == int(status), f"{command}\n{answer.text}"
            assert [word for word in words.split() if word not in answer.text] == [], answer.text
            told = answer.json() if answer.content else {}
            if isinstance(told.get("id"), str):
                known["$ID"] = told["id"]
            made += 1
    return made


def test_every_call_in_a_guide_has_a_claim() -> None:
    for name in guides.GUIDES:
        for block in guides.blocks(name, "sh"):
            assert block.text.count("curl ") == block.text.count("# → "), block.text


def test_the_table_of_a_notices_fields_is_whole() -> None:
    shown = [code for row in guides.rows("institutions.md", "| field |") for code in guides.codes(row[0])]
    assert sorted(shown) == sorted(NoticeIn.model_fields)


def test_refusals_have_the_status_and_code_of_the_guide() -> None:
    known = {kind.code: status_of(kind) for kind in all_errors(GoniecError)}
    for status, names, *_ in guides.rows("institutions.md", "| status |"):
        assert {known[code] for code in guides.codes(names)} == {int(status)}


def test_the_limits_of_a_pusher_are_those_of_the_code() -> None:
    text, limits = guides.read("institutions.md"), Limits()
    assert f"more than {limits.by_key:,} requests a minute" in text
    assert (limits.max_body_bytes, limits.max_batch_bytes) == (1_000_000, 16_000_000)
    assert "more than 1 MB; 16 MB for batches" in text


def test_the_event_shown_is_what_would_be_sent() -> None:
    (shown,) = guides.blocks("webhooks.md", "json")
    told = json.loads(shown.text)
    assert set(told["data"]) == set(answers.Notice.model_fields)
    event = events.cloudevent(
        uid=uuid4(), kind="published", at=datetime(2026, 11, 23, 12, tzinfo=UTC), snapshot=told["data"],
        base_url="https://goniec.example",
    )  # fmt: skip
    assert json.loads(told_as("standard", event)[2]) == told


def test_the_table_of_formats_is_so() -> None:
    shown = {guides.codes(row[0])[0]: row for row in guides.rows("webhooks.md", "| `format` |")}
    assert tuple(shown) == endpoints.FORMATS
    event = events.cloudevent(
        uid=uuid4(), kind="published", at=datetime(2026, 11, 23, 12, tzinfo=UTC),
        snapshot={"id": 1, "institution": {"slug": "um", "name": "UM"}}, base_url="https://goniec.example",
    )  # fmt: skip
    for name, (_, _, content_type) in shown.items():
        assert f"`{told_as(name, event)[0]}`" == content_type
    assert len(json.loads(told_as("cloudevents-batch", event)[2])) == 1
    assert {name[:3] for name, _ in told_as("cloudevents-binary", event)[1]} == {"ce-"}


def test_the_tables_of_types_and_of_contents_are_those_of_the_code() -> None:
    told = [guides.codes(row[0])[0] for row in guides.rows("webhooks.md", "| type |")]
    assert told == list(event_types.TYPES)
    told = [guides.codes(row[0])[0] for row in guides.rows("webhooks.md", "| `content` |")]
    assert tuple(told) == telling.CONTENTS
    days = {row[0] for row in guides.rows("webhooks.md", "| since |")}
    assert days == {change.at for change in event_types.CHANGES}


def test_the_types_named_in_the_guides_exist() -> None:
    known = {events.event_type(kind.value) for kind in EventType}
    for name in guides.GUIDES:
        assert set(re.findall(r"pl\.goniec\.notice\.\w+\.v1", guides.read(name))) <= known


def test_waits_and_limits_of_webhooks_are_those_of_the_code() -> None:
    text = " ".join(guides.read("webhooks.md").split())
    waits = re.search(r"the waits are (.*?), each up to a fifth", text)
    assert waits is not None
    told = [int(n) * UNITS[unit] for n, unit in re.findall(r"(\d+) (s|min|h)\b", waits[1])]
    assert tuple(told) == retries.SCHEDULE_S[1:]
    assert retries.JITTER == 1 / 5
    assert "After ten attempts" in text
    assert len(retries.SCHEDULE_S) == 10
    assert f"after {webhook.TOTAL_TIMEOUT_S:.0f} seconds a call counts as failed" in text
    assert webhook.MIN_WAIT_AFTER_429_S == 60
    assert f"({retries.MAX_RETRY_AFTER_S / 3600:.0f} hours at most)" in text
    assert signing.TOLERANCE.total_seconds() == 300
    assert f"(0 to {endpoints.MAX_OVERLAP_HOURS} hours" in text
    assert f"of the last {replays.MAX_REPLAY.days} days" in text


def test_the_answers_that_webhooks_heed_are_those_of_the_code() -> None:
    named = {
        int(n) for row in guides.rows("webhooks.md", "| you answer |") for n in re.findall(r"\d{3}", row[0])
    }
    assert named == webhook.ASK_TO_WAIT | {webhook.GONE}


def all_errors(kind: type[GoniecError]) -> Iterator[type[GoniecError]]:
    yield kind
    for narrower in kind.__subclasses__():
        yield from all_errors(narrower)


def status_of(kind: type[GoniecError]) -> int:
    """An error takes the status of the nearest class of its line that has one."""
    return next(errors.STATUS[one][0] for one in kind.__mro__ if one in errors.STATUS)
