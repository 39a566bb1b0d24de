"""Makes services/domain/data/declined.json: `python -m tests.services.domain.declining` writes it anew."""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import morfeusz2  # type: ignore[import-untyped]

from services.domain import areas, places, topics
from services.domain.folding import slug
from services.domain.notices import AUDIENCES, KINDS, OPERATION, audience_label, kind_label

WRITTEN_TO = Path("services/domain/data/declined.json")
_NOMINAL = ("subst", "adj", "depr")
# Names that the dictionary knows without their cases, by the word that they are declined like.
_LIKE = {"zławieś": ("wieś", "zła")}


def names() -> list[str]:
    """Every name, in Polish, whose cases should be understood."""
    return [
        *(place.name for place in (*places.PLACES.values(), *places.AROUND.values())),
        *(area.pl for area in areas.AREAS.values()),
        *(topic.pl for topic in topics.TOPICS.values()),
        *(kind_label(kind, "pl") for kind in (*KINDS, OPERATION)),
        *(audience_label(audience, "pl") for audience in AUDIENCES),
        "Kujawy Pomorze gmina miasto kraj region studia województwo",
        "dotacje energia klimat kultura cyfryzacja tworzywa transport mobilność edukacja planowanie",
    ]


def declined(named: Iterable[str]) -> dict[str, list[str]]:
    """{folded form: folded words of the names}, without the words themselves."""
    morfeusz = morfeusz2.Morfeusz()
    found: dict[str, set[str]] = {}
    words = {word for name in named for word in name.replace("(", " ").replace(")", " ").split()}
    for word in words:
        for form in _forms(word, morfeusz):
            if slug(form) and slug(form) != slug(word) and len(slug(form)) > 2:
                found.setdefault(slug(form), set()).add(slug(word))
    return {form: sorted(bases) for form, bases in sorted(found.items())}


def _forms(word: str, morfeusz: Any) -> Iterator[str]:
    like, before = _LIKE.get(word.lower(), ("", ""))
    for lemma in {one[2][1] for one in morfeusz.analyse(like or word) if one[2][2].startswith(_NOMINAL)}:
        for form, _, tags, *_ in morfeusz.generate(lemma):
            if tags.startswith(_NOMINAL) and not tags.endswith((":com", ":sup")):
                yield before + form


def written() -> str:
    lines = [f"{json.dumps(form)}: {json.dumps(bases)}" for form, bases in declined(names()).items()]
    return "{\n" + ",\n".join(lines) + "\n}\n"


if __name__ == "__main__":
    WRITTEN_TO.write_text(written(), encoding="utf-8")
