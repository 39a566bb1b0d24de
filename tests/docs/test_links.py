"""Links between texts lead somewhere, and buttons are called as they are."""

import re
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

from tests.docs import guides

TEXTS = sorted([*guides.ROOT.glob("*.md"), *guides.DOCS.rglob("*.md")])
POLISH = guides.ROOT / "templates" / "locale" / "pl" / "LC_MESSAGES" / "goniec.po"
LABEL = re.compile(r"(?<!\*)\*([^*\n]+)\*(?!\*)")


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.relative_to(guides.ROOT).as_posix())
def test_every_link_leads_somewhere(path: Path) -> None:
    for link in links(path):
        target, _, place = link.partition("#")
        if re.match(r"[a-z]+:", target):
            assert target.startswith("https://"), link
            continue
        there = (path.parent / target).resolve() if target else path
        assert there.exists(), link
        if place:
            assert place in anchors(there), link


def test_every_guide_is_linked_from_the_readme_or_another_guide() -> None:
    known = {(path.parent / link.partition("#")[0]).resolve() for path in TEXTS for link in links(path)}
    assert [name for name in guides.GUIDES if guides.DOCS / name not in known] == []


def test_the_labels_that_subscribers_are_told_stand_on_pages_and_in_letters() -> None:
    with POLISH.open("rb") as file:
        known = {str(one.id): str(one.string) for one in read_po(file) if one.id}
    english, polish = guides.read("subscribers.md").split("## Polski")
    assert set(LABEL.findall(english)) - set(known) == set()
    assert set(LABEL.findall(polish)) - set(known.values()) == set()


def links(path: Path) -> list[str]:
    """Where the links of a text lead; those inside fenced blocks are examples."""
    prose = re.sub(r"^```.*?^```", "", path.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
    return re.findall(r"\]\(([^)\s]+)\)", prose)


def anchors(path: Path) -> set[str]:
    heads = re.findall(r"^#+ (.+)$", path.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", head).strip().lower().replace(" ", "-") for head in heads}
