"""The commands of docs/institutions.md, typed in their order, do what the guide says."""

import logging
import shlex
from collections.abc import Iterator

import pytest
import structlog

from services.cli import app as cli
from services.manage import accounts, institutions, sources
from services.runtime import Runtime
from services.settings import child_environment
from tests.docs import guides
from tests.doubles.web import Answer, WebDouble

SITE = "https://chelmza.example"
PAGE = b'<html><head><link rel="alternate" type="application/rss+xml" href="/rss.xml"></head></html>'
FEED = b"<rss><channel><title>News</title><item><title>A</title><guid>1</guid></item></channel></rss>"
EVENT = b"BEGIN:VEVENT\r\nUID:1\r\nDTSTART:20261201T100000Z\r\nSUMMARY:A\r\nEND:VEVENT\r\n"
CALENDAR = b"BEGIN:VCALENDAR\r\n" + EVENT + b"END:VCALENDAR\r\n"
BULLETIN = b'<html><ul class="news"><li><a href="/a">A</a><time>20.11.2026</time></li></ul></html>'


@pytest.fixture
def site() -> Iterator[WebDouble]:
    with WebDouble() as web:
        web.answer("/news", Answer(headers=(("Content-Type", "text/html"),), body=PAGE))
        web.answer("/rss.xml", Answer(headers=(("Content-Type", "application/rss+xml"),), body=FEED))
        web.answer("/kalendarz.ics", Answer(body=CALENDAR))
        web.answer("/bip", Answer(headers=(("Content-Type", "text/html"),), body=BULLETIN))
        yield web


@pytest.fixture
def logging_kept() -> Iterator[None]:
    """Commands set up logging for their process, which here is everybody's."""
    root = logging.getLogger()
    level, handlers = root.level, root.handlers[:]
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


@pytest.mark.usefixtures("logging_kept")
def test_the_commands_do_what_the_guide_says(
    rt: Runtime, site: WebDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in child_environment(rt.settings).items():
        if name.startswith("GONIEC_"):
            monkeypatch.setenv(name, value)
    lines = [
        line for block in guides.blocks("institutions.md", "console") for line in block.text.splitlines()
    ]
    assert lines
    for line in lines:
        assert cli.run(shlex.split(line.replace(SITE, site.url("")))[1:]) == 0, line
    (institution,) = institutions.list_all(rt)
    source, calendar, bulletin = sources.list_all(rt)
    (key,) = accounts.list_keys(rt)
    assert (institution.slug, source.institution) == ("urzad-miasta-chelmza",) * 2
    assert source.address == site.url("/rss.xml")
    assert source.topics == ("local-government-planning",)
    assert [(one.kind, one.notices) for one in (calendar, bulletin)] == [("calendar", 1), ("page", 1)]
    assert key.revoked_at is not None
