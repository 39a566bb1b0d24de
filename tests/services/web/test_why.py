"""Why a notice came, or did not, in words of the person who asks, about themselves alone."""

import pytest
from starlette.testclient import TestClient

from services.domain import links
from services.domain.mutes import MuteKind
from services.manage import mutes, subscriptions
from services.manage.mutes import Unwanted
from services.runtime import Runtime
from tests.factories import carry, draft, publish, reader
from tests.services.web.conftest import read, words

LEAD = (
    "Gmina dopłaci do każdego roweru elektrycznego kupionego w tym roku przez mieszkańców, także używanego."
)


def told(site: TestClient, rt: Runtime, *queries: str, muted: str = "", **given: object) -> str:
    """The page's address for one person and one notice that has gone its whole way."""
    anna = reader(rt, "anna@mail.example", *queries)
    if muted:
        mutes.add(rt, anna.id, Unwanted(MuteKind.WORD, muted))
    [done] = publish(rt, draft("a", **{"title": "Dotacje", "summary": LEAD, **given}))
    carry(rt)
    page = f"/manage/{links.manage_token(rt.settings.secret_key, anna.id)}/why"
    return site.get(f"{page}?notice=http://goniec.example/notices/{done.notice_id}").text


def test_what_came_is_told_by_interest_words_field_and_the_text_around(site: TestClient, rt: Runtime) -> None:
    page = told(site, rt, "rower kind:call")
    said = words(page)
    for part in ("zakres rower kind:call", "in the summary", "went into letter", "was sent"):
        assert part in said
    assert read(page).xpath("//mark/text()") == ["roweru"]
    assert "dopłaci do każdego roweru elektrycznego" in said


@pytest.mark.parametrize(
    ("queries", "given", "muted", "part"),
    [
        (["rower place:torun"], {}, "", "place:0463011 does not hold"),
        (["rower -elektryczny"], {}, "", "-elektryczny excludes it, because of:"),
        (["rower"], {"commercial": True}, "", "you did not agree to commercial information"),
        (["rower"], {}, "mieszkaniec", "you had muted a word that it holds (mieszkaniec)"),
    ],
)
def test_what_did_not_come_is_told_by_what_stood_in_the_way(
    site: TestClient, rt: Runtime, queries: list[str], given: dict[str, object], muted: str, part: str
) -> None:
    assert part in words(told(site, rt, *queries, muted=muted, **given))


def test_the_page_asks_which_notice_and_knows_no_other(site: TestClient, own_page: str) -> None:
    assert "Address or number" in words(site.get(f"{own_page}/why").text)
    for wrong in ("99", "x", "/notices/", "9" * 40):
        answer = site.get(f"{own_page}/why", params={"notice": wrong})
        assert answer.status_code == 404
        assert "We know no such notice" in words(answer.text)


def test_nothing_that_others_wrote_is_markup_on_the_page(site: TestClient, rt: Runtime) -> None:
    evil = "<script>alert(1)</script>"
    anna = reader(rt, "anna@mail.example", "rower", "kind:tender")
    subscriptions.change(rt, anna.id, anna.subscriptions[0].id, label=f"{evil}&amp;")
    [done] = publish(rt, draft("a", title=f"{evil} rower & <b>gmina</b>", summary=f"&lt;i&gt;rower{evil}"))
    carry(rt)
    at = f"/manage/{links.manage_token(rt.settings.secret_key, anna.id)}/why?notice={done.notice_id}"
    for drop in (False, True):
        if drop:
            subscriptions.remove(rt, anna.id, anna.subscriptions[0].id)
        page = site.get(at)
        assert page.status_code == 200
        assert evil not in page.text
        assert not read(page.text).xpath("//main//script | //main//b | //main//i")
        assert f"{evil}&amp;" in words(page.text)
