"""The operator's pages of topics: looking is free; one button, below what it changes, defines."""

from datetime import timedelta
from urllib.parse import urlencode

import pytest
from starlette.testclient import TestClient

from services.domain import links
from services.manage import topics
from services.runtime import Runtime
from tests.conftest import NOON
from tests.factories import rows
from tests.services.web.conftest import Tell, read, words

OWN = {"Origin": "http://goniec.example"}


@pytest.fixture
def pages(rt: Runtime) -> str:
    return links.topics_url("", rt.settings.secret_key, expires_at=NOON + timedelta(hours=1))


def looked(pages: str, query: str, *, part: str = "") -> str:
    return f"{pages}/health{part}?{urlencode({'look': 1, 'q': query})}"


def test_the_tree_has_both_labels_the_query_and_what_lies_below(
    site: TestClient, pages: str, tell: Tell
) -> None:
    tell(topics=("health/szpitale",))
    page = site.get(pages)
    said = words(page.text)
    assert "zdrowie · health · 1 notice in 90 days" in said
    assert "health/szpitale (1)" in said
    assert page.headers["Cache-Control"] == "no-store"
    assert len(read(page.text).xpath("//main//h2")) == 16


def test_another_query_is_shown_with_what_gains_and_loses_the_topic(
    site: TestClient, pages: str, rt: Runtime, tell: Tell
) -> None:
    topics.define(rt, "health", "szpital")
    tell(key="a", title="Remont szpitala", topics=("work",))
    tell(key="b", title="Nowa przychodnia", topics=("work",))
    tell(key="c", title="<b>Przychodnie</b> w gminie", topics=("work",))

    for page in (
        site.get(looked(pages, "przychodnia")),
        site.get(looked(pages, "przychodnia", part="/preview")),
    ):
        said = words(page.text)
        assert "Of 3 notices of the last 90 days the query meets 2; as it stands, 1." in said
        assert "2 notices gain the topic" in said
        assert "1 notice loses the topic Remont szpitala" in said
        assert "Define it so from now on" in said
    assert topics.show(rt, "health").query == "szpital", "looking defines nothing"


def test_the_button_defines_the_topic_and_leaves_a_line_in_the_audit(
    site: TestClient, pages: str, rt: Runtime
) -> None:
    path = f"{pages}/health"
    sent = site.post(path, data={"q": "przychodnia OR szpital", "way": "define"}, headers=OWN)
    assert (sent.status_code, sent.headers["location"]) == (303, f"{path}?done=define")
    assert "Defined." in words(site.get(sent.headers["location"]).text)
    assert topics.show(rt, "health").query == "przychodnia OR szpital"

    site.post(path, data={"way": "reset"}, headers=OWN)
    assert not topics.show(rt, "health").is_changed
    lines = rows(rt, "SELECT actor, action, target FROM audit_lines WHERE action LIKE 'topic.%' ORDER BY id")
    assert [tuple(line.values()) for line in lines] == [
        ("page", "topic.define", "health"),
        ("page", "topic.reset", "health"),
    ]


def test_who_decides_on_what_was_changed_meanwhile_looks_again(
    site: TestClient, pages: str, rt: Runtime
) -> None:
    shown = read(site.get(looked(pages, "przychodnia")).text)
    form = {name: shown.xpath(f'string(//form[@method="post"]//input[@name="{name}"]/@value)')
            for name in ("q", "was")}  # fmt: skip
    topics.define(rt, "health", "szpital")
    late = site.post(f"{pages}/health", data={**form, "way": "define"}, headers=OWN)
    assert late.status_code == 409
    assert "Meanwhile somebody defined this topic otherwise" in words(late.text)
    assert topics.show(rt, "health").query == "szpital"
    again = read(late.text).xpath('string(//form[@method="post"]//input[@name="was"]/@value)')
    site.post(f"{pages}/health", data={"q": form["q"], "was": again, "way": "define"}, headers=OWN)
    assert topics.show(rt, "health").query == "przychodnia"


def test_a_topic_of_nearly_everything_and_one_of_topics_are_warned_of(
    site: TestClient, pages: str, tell: Tell
) -> None:
    for number in range(10):
        tell(key=f"k{number}", title="Nowy rozkład")
    assert "more than half of everything" in words(site.get(looked(pages, "rozkład")).text)
    assert "more than half of everything" not in words(site.get(looked(pages, "przychodnia")).text)
    circle = site.get(looked(pages, "topic:food"))
    assert (circle.status_code, "A topic is defined by words" in words(circle.text)) == (422, True)


def test_a_query_that_cannot_be_read_is_told_with_its_place_and_kept_in_the_form(
    site: TestClient, pages: str, rt: Runtime
) -> None:
    for page in (
        site.get(looked(pages, "(szpital")),
        site.post(f"{pages}/health", data={"q": "(szpital", "way": "define"}, headers=OWN),
    ):
        assert page.status_code == 422
        assert "Parentheses must come in pairs." in words(page.text)
        assert read(page.text).xpath("string(//textarea)").strip() == "(szpital"
    assert not topics.show(rt, "health").is_changed


def test_an_empty_query_leaves_the_topic_to_sources_and_editors(
    site: TestClient, pages: str, rt: Runtime
) -> None:
    assert "Define it so" in site.get(looked(pages, "")).text
    site.post(f"{pages}/health", data={"q": "", "way": "define"}, headers=OWN)
    assert topics.show(rt, "health").query == ""


def test_the_pages_open_to_nobody_else_and_not_for_ever(site: TestClient, rt: Runtime, pages: str) -> None:
    secret = rt.settings.secret_key
    over = links.topics_url("", secret, expires_at=NOON - timedelta(seconds=1))
    other = links.held_url("", secret).replace("/held/", "/topics/")
    for wrong in ("/topics/guess", over, other):
        for path in (wrong, f"{wrong}/health", f"{wrong}/health/preview"):
            assert site.get(path).status_code == 422, path
        assert site.post(f"{wrong}/health", data={"q": "a", "way": "define"}, headers=OWN).status_code == 422
    assert site.get(f"{pages}/nothing").status_code == 404


def test_a_form_that_is_none_of_ours_defines_nothing(site: TestClient, rt: Runtime, pages: str) -> None:
    path = f"{pages}/health"
    assert site.post(path, data={"q": "a", "way": "burn"}, headers=OWN).status_code == 422
    other = {"Origin": "https://b.example"}
    assert site.post(path, data={"q": "a", "way": "define"}, headers=other).status_code == 403
    site.get(f"{path}?way=define&q=a&look=1")
    assert not topics.show(rt, "health").is_changed
