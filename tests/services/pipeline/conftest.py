"""A mail server and a receiver of webhooks, and a runtime that sends to them."""

from collections.abc import Iterator

import pytest

from services.runtime import Runtime
from tests.conftest import OpenRuntime
from tests.doubles.smtp import SmtpSink
from tests.doubles.web import Answer, WebDouble


@pytest.fixture
def sink() -> Iterator[SmtpSink]:
    with SmtpSink() as running:
        yield running


@pytest.fixture
def mailing(open_runtime: OpenRuntime, sink: SmtpSink) -> Runtime:
    """A runtime whose mail goes to the sink."""
    return open_runtime(mail="smtp", smtp_url=sink.url)


@pytest.fixture
def receiver() -> Iterator[WebDouble]:
    """Takes every webhook with thanks."""
    with WebDouble() as double:
        double.answer("*", Answer(status=204))
        yield double
