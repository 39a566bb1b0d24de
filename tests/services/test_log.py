"""What the processes say, and what they must not."""

import io
import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from services import log


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    stream = io.StringIO()
    log.configure("json", stream=stream)
    yield stream
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def test_a_line_carries_its_event_its_facts_and_the_ids_around_it(lines: io.StringIO) -> None:
    with log.bound_contextvars(delivery_id=7):
        log.get("services.pipeline.deliver").info("delivery.sent", channel="smtp", took_ms=41)
    said = json.loads(lines.getvalue())
    assert said["event"] == "delivery.sent"
    assert (said["delivery_id"], said["channel"], said["took_ms"]) == (7, "smtp", 41)
    assert said["logger"] == "services.pipeline.deliver"


def test_a_library_speaks_in_the_same_shape(lines: io.StringIO) -> None:
    logging.getLogger("some.library").warning("careful with %s", "that")
    assert json.loads(lines.getvalue())["event"] == "careful with that"


@pytest.mark.parametrize(
    "secret",
    [
        "jan.kowalski+x@torun.example",
        "postgresql://goniec:sesame@db/goniec",
        "Authorization: Bearer gk_sesame",
        "https://goniec.example/u/sesame-token",
        "gon_sesame-2Wx784e39X2hlpon9Udjnvte-OxIW_plb",
        "whsec_sesame8w2t+QNkIlOXmE0eKOtNCSPmKWs=",
        "jan.kowalski@localhost",
        "/endpoints/sesame_Zk3vW1QxC8mN-4tYb7RfLpWyHs2QdA/0198c1f0",
        "https://goniec.example/topics/sesame_Zk3vW1QxC8mN-4tYb7RfLpWyHs2QdA",
        "https://goniec.example/health/sesameZk3vW1QxC8mN4tYb7RfLpWyHs2Qd",
        "https://goniec.example/v1/revisions/sesame_Zk3vW1QxC8mN-4tYb7RfLpWyHs2QdA",
        "https://goniec.example/v1/consents/sesame_Zk3vW1QxC8mN-4tYb7RfLpWyHs2QdA",
        "https://goniec.example/websub/sesame-Zk3vW1QxC8mN4tYb7RfLpWyHs2",
    ],
)
def test_what_must_not_be_said_is_masked_even_in_a_traceback(lines: io.StringIO, secret: str) -> None:
    log.get("a").info("a.told", what=secret)
    try:
        raise ValueError(secret)
    except ValueError:
        logging.getLogger("b").exception("b failed")
    assert "sesame" not in lines.getvalue()
    assert "jan.kowalski" not in lines.getvalue()


@pytest.mark.parametrize(
    "plain",
    [
        "/v1/endpoints/0198c1f0-6c1e-7a3b-9d1f-2b6f0f6f6f6f",
        "https://uni.example/topics/health/en",
        "/websub/u",
    ],
)
def test_what_grants_nothing_can_be_read(plain: str) -> None:
    assert log.masked(plain) == plain
