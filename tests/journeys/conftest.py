"""One house for all journeys: it takes seconds to build."""

from collections.abc import Iterator

import pytest

from tests.doubles.smtp import Script, SmtpSink
from tests.doubles.web import WebDouble
from tests.journeys.chaos import DELAY_S
from tests.journeys.house import House


@pytest.fixture(scope="package")
def mail_server() -> Iterator[SmtpSink]:
    """Slow enough for something to happen in the middle."""
    with SmtpSink(Script(delay_s=DELAY_S)) as running:
        yield running


@pytest.fixture(scope="package")
def house(mail_server: SmtpSink, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with House(tmp_path_factory.mktemp("house"), smtp_url=mail_server.url) as running:
        yield running


@pytest.fixture
def web() -> Iterator[WebDouble]:
    with WebDouble() as double:
        yield double
