"""Among many that share its topic, an offer and the need that it meets find each other by what they say."""

import csv
import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import pytest

from services.interests.documents import Document
from services.interests.meeting import COMPLEMENTS, Side, fits
from services.interests.polish import dictionary
from services.interests.text import Analyser

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
ANALYSER = Analyser()
OWN = Path(__file__).parent / "words" / "offers_and_needs.tsv"
SAMPLE = Path(__file__).parents[3] / "services/cli/demo/notices.json"
pytestmark = pytest.mark.skipif(dictionary() is None, reason="morfeusz2 is not installed here")


class Told(NamedTuple):
    """A notice, and the pair that it is a half of; of none where that is empty."""

    pair: str
    side: Side


def side(number: int, one: dict[str, str], *, topics: list[str], audience: list[str]) -> Side:
    document = Document(
        number, one["kind"], one["title"], one["summary"], "", None, tuple(topics), (one["place"],), "1", (),
        tuple(audience), None, NOON,
    )  # fmt: skip
    return Side(document, one["teller"], one["place"])


def own() -> list[Told]:
    lines = OWN.read_text(encoding="utf-8").splitlines()
    rows = csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)
    return [
        Told(row["pair"], side(n, row, topics=row["topics"].split(), audience=row["audience"].split()))
        for n, row in enumerate(rows, 1)
    ]


def sample() -> list[Told]:
    """The halves of a pair by the lesser of both ids."""
    found = []
    for number, one in enumerate(json.loads(SAMPLE.read_text("utf-8"))["notices"], 1_000):
        if one["kind"] in COMPLEMENTS:
            pair = min(one["id"], one.get("expected_match_with", ""))
            told = one | {"teller": one["institution_kind"]}
            found.append(Told(pair, side(number, told, topics=one["topics"], audience=one["audience"])))
    return found


ALL = [*own(), *sample()]
HALVES = [one for one in ALL if one.pair]


@pytest.mark.parametrize("half", HALVES, ids=lambda one: one.side.document.title[:40])
@pytest.mark.parametrize("with_topics", [True, False], ids=["topics", "words alone"])
def test_its_other_half_comes_first(half: Told, with_topics: bool) -> None:
    kinds = COMPLEMENTS[half.side.document.kind]
    others = [one for one in ALL if one.side.document.kind in kinds]
    sides = [_seen(one.side, with_topics) for one in others]
    best = fits(_seen(half.side, with_topics), sides, ANALYSER)[0]
    [pair] = [one.pair for one in others if one.side.document.notice_id == best.notice_id]
    assert (pair, bool(best.words)) == (half.pair, True)


def _seen(told: Side, with_topics: bool) -> Side:
    return told if with_topics else replace(told, document=replace(told.document, topics=()))


def test_what_every_offer_says_is_no_reason() -> None:
    offer = {
        "kind": "offer",
        "teller": "company",
        "place": "0461011",
        "title": "Szukamy partnera",
        "summary": "",
    }
    need = offer | {"kind": "need", "title": "Firma szuka partnera", "place": "0415042"}
    met = fits(side(1, offer, topics=[], audience=[]), [side(2, need, topics=[], audience=[])], ANALYSER)
    assert met == []


def test_two_offers_never_meet() -> None:
    for kind, others in COMPLEMENTS.items():
        assert kind not in others
