"""The operator's page of readings that wait."""

from starlette.testclient import TestClient

from services.domain import links
from services.domain.drafts import Draft
from services.pipeline import quarantine
from services.runtime import Runtime
from services.storage import held
from tests.factories import counts, feed


def hold(rt: Runtime) -> str:
    """A batch of seven; answers the path of the page."""
    source_id = feed(rt, "http://127.0.0.1:9/feed.xml")
    drafts = [Draft(key=str(n), title=f"<Wpis {n}>", url=f"https://miasto.example/{n}") for n in range(7)]
    with rt.begin() as session:
        held.hold(session, source_id, drafts, reason="flood", now=rt.clock.now())
    return links.held_url("", rt.settings.secret_key)


def test_the_page_shows_why_and_what_and_its_buttons_decide(site: TestClient, rt: Runtime) -> None:
    path = hold(rt)
    page = site.get(path)
    assert "five times as much as usual" in page.text
    assert "&lt;Wpis 4&gt;" in page.text
    assert "&lt;Wpis 5&gt;" not in page.text
    assert "and 2 more" in page.text
    assert page.headers["Cache-Control"] == "no-store"

    (batch,) = quarantine.open_batches(rt)
    sent = site.post(
        path, data={"id": batch.id, "way": "release"}, headers={"Origin": "http://goniec.example"}
    )
    assert (sent.status_code, sent.headers["location"]) == (303, f"{path}?done=release")
    assert counts(rt, "SELECT type, count(*) FROM events GROUP BY type") == {"published": 7}
    assert "Nothing is held back." in site.get(path).text


def test_looking_at_the_page_decides_nothing(site: TestClient, rt: Runtime) -> None:
    path = hold(rt)
    site.get(f"{path}?way=release&id=1")
    assert len(quarantine.open_batches(rt)) == 1


def test_the_page_opens_to_nobody_else(site: TestClient, rt: Runtime) -> None:
    hold(rt)
    assert site.get("/held/guess").status_code == 422
    assert site.get(f"/held/{links.manage_token(rt.settings.secret_key, 1)}").status_code == 422


def test_a_form_that_is_none_of_ours_decides_nothing(site: TestClient, rt: Runtime) -> None:
    path = hold(rt)
    same = {"Origin": "http://goniec.example"}
    assert site.post(path, data={"id": "x", "way": "release"}, headers=same).status_code == 422
    assert site.post(path, data={"id": "1", "way": "burn"}, headers=same).status_code == 422
    assert (
        site.post(path, data={"id": "1", "way": "drop"}, headers={"Origin": "https://b.example"}).status_code
        == 403
    )
    assert len(quarantine.open_batches(rt)) == 1
