"""How well sources are: names and words for everybody, addresses and history for the operator."""

from datetime import timedelta

import pytest
from sqlalchemy import text
from starlette.testclient import TestClient

from services.domain import links, source_faults
from services.domain.source_health import SourceState
from services.pipeline import poll
from services.runtime import TEMPLATES, Runtime
from tests.doubles.web import Answer, WebDouble
from tests.factories import feed
from tests.feeds.bodies import rss


@pytest.fixture
def sick(rt: Runtime) -> int:
    """A source that has failed three times, with a secret in its address."""
    source_id = feed(rt, "http://127.0.0.1:9/feed?key=s3cret")
    broken = (
        "UPDATE sources SET errors = 3, last_error = 'tls: certificate <has> expired', first_read_at = now()"
    )
    with rt.begin() as session:
        session.execute(text(f"{broken} WHERE id = :id"), {"id": source_id})
    return source_id


def operator(rt: Runtime, source_id: int | None = None) -> str:
    return links.health_url("", rt.settings.secret_key, source_id)


def test_everybody_sees_who_is_read_and_how_well_and_no_address(site: TestClient, sick: int) -> None:
    page = site.get("/sources").text
    assert "Gmina Testowa" in page
    assert "Its certificate or its encryption is not in order." in page
    for secret in ("s3cret", "/feed", "expired", f"/{sick}"):
        assert secret not in page
    assert "Jego certyfikat albo szyfrowanie nie jest w porządku." in site.get("/sources?lang=pl").text


def test_the_operator_sees_addresses_errors_and_what_to_do(site: TestClient, rt: Runtime, sick: int) -> None:
    listed = site.get(operator(rt))
    assert "s3cret" in listed.text
    assert operator(rt, sick) in listed.text
    page = site.get(operator(rt, sick))
    assert "certificate &lt;has&gt; expired" in page.text
    assert "Tell its webmaster." in page.text
    assert page.headers["Cache-Control"] == "no-store"


def test_the_page_of_a_source_tells_its_visits_its_rhythm_and_its_next_check(
    site: TestClient, rt: Runtime
) -> None:
    days = [rt.clock.now() - timedelta(days=one) for one in range(1, 6)]
    items = [f"<title>{day}</title><guid>{day}</guid><pubDate>{day.isoformat()}</pubDate>" for day in days]
    with WebDouble() as web:
        web.answer("/feed", Answer(body=rss(*items)))
        source_id = feed(rt, web.url("/feed"))
        poll.run(rt)
    page = site.get(operator(rt, source_id)).text
    assert "It is read, and answers." in page
    assert "an entry every 24 hours" in page
    assert "something new" in page
    assert "5 published" in page
    assert "Next check" in page
    assert "Silence is strange from" in page


def test_the_history_opens_to_nobody_else(site: TestClient, rt: Runtime, sick: int) -> None:
    held = links.held_url("", rt.settings.secret_key).removeprefix("/held")
    for path in ("/health/guess", f"/health/guess/{sick}", f"/health{held}", f"/health{held}/{sick}"):
        assert site.get(path).status_code == 422
    assert site.get(operator(rt, sick + 1)).status_code == 404
    assert site.get(operator(rt, 2**70)).status_code == 404


def test_every_code_of_health_has_words_in_the_page() -> None:
    source = (TEMPLATES / "web" / "_health.html").read_text()
    states = {state for state in SourceState if state not in (SourceState.BROKEN, SourceState.SHAKY)}
    for code in {*states, *source_faults.CODES}:
        assert f'"{code}": _("' in source
    for state in SourceState:
        assert f'"{state}": _("' in source.partition("words = ")[0]
