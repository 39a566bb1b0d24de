"""What an endpoint is told: the whole, a link, or the difference, which applied to the old makes the new."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.domain import links, telling, tokens
from services.domain.telling import CONTENTS

AT = datetime(2026, 11, 23, 12, tzinfo=UTC)
OLD: dict[str, Any] = {
    "id": 7,
    "key": "a",
    "revision": 1,
    "title": "Nabór",
    "deadline_at": None,
    "topics": ["ict-ai"],
}
NEW: dict[str, Any] = {**OLD, "revision": 2, "deadline_at": "2026-12-01T12:00:00Z", "topics": []}
MEMBERS = st.dictionaries(
    st.text("ab~/ż", min_size=1, max_size=3),
    st.none() | st.integers() | st.lists(st.text(max_size=3)),
    max_size=6,
)


def applied(document: Any, patch: list[dict[str, Any]]) -> Any:
    """RFC 6902, for the operations on members that we write."""
    for step in patch:
        if step["path"] == "":
            document = step["value"]
            continue
        name = step["path"][1:].replace("~1", "/").replace("~0", "~")
        document = dict(document)
        if step["op"] != "add":
            del document[name]  # must be there (sections 4.2 and 4.3)
        if step["op"] != "remove":
            document[name] = step["value"]
    return document


def told(content: str, before: dict[str, Any] | None = None) -> dict[str, Any]:
    return telling.data(
        content, NEW, at=AT, base_url="https://goniec.example", secret="s" * 32, before=before
    )  # fmt: skip


@given(MEMBERS, MEMBERS)
def test_a_patch_makes_the_new_of_the_old(old: dict[str, Any], new: dict[str, Any]) -> None:
    assert applied(old, telling.patch(old, new)) == new
    assert applied(None, telling.patch(None, new)) == new


def test_a_patch_names_only_what_changed_and_says_null_as_a_value() -> None:
    assert told("diff", OLD)["from_revision"] == 1
    assert [step["path"] for step in told("diff", OLD)["patch"]] == ["/revision", "/deadline_at", "/topics"]
    back = telling.patch(NEW, {**NEW, "deadline_at": None})
    assert back == [{"op": "replace", "path": "/deadline_at", "value": None}]


def test_who_had_nothing_before_is_told_the_whole_as_a_patch_of_nothing() -> None:
    whole = told("diff")
    assert whole["from_revision"] is None
    assert applied(None, whole["patch"]) == NEW


def test_a_link_names_one_revision_and_expires() -> None:
    thin = told("thin")
    assert set(thin) == {"id", "key", "revision", "url", "expires_at"}
    token = thin["url"].rpartition("/")[2]
    assert tokens.read("s" * 32, links.REVISION, token, AT) == {"n": 7, "r": 2}
    assert thin["expires_at"] == "2027-01-02T12:00:00Z"


@pytest.mark.parametrize("content", CONTENTS)
def test_what_is_told_is_the_same_each_time(content: str) -> None:
    assert told(content, OLD) == told(content, OLD)
