"""How long a matcher needs to begin after a change of how words are read: compiled anew, or from the snapshot
that the reading before it made, of which only what is read otherwise is compiled.

The change is a dictionary that lacks one word in fifty. Both ways must match alike.
"""

import itertools
import time
import zlib

import _here  # noqa: F401
import _report
from _interests import NOW, World

from services.errors import QueryError
from services.interests import language
from services.interests.live import LiveIndex
from services.interests.polish import Dictionary, Readings, dictionary
from services.interests.text import Analyser

NOTHING = Readings(frozenset(), frozenset(), frozenset(), is_function=False)
EVENTS = 50


class Smaller:
    """The dictionary without some of its words."""

    name = "smaller"

    def __init__(self, whole: Dictionary) -> None:
        self._whole = whole

    def readings(self, form: str) -> Readings:
        return self._whole.readings(form) if zlib.crc32(form.encode()) % 50 else NOTHING


def main() -> None:
    given = _report.arguments(__doc__)
    number = 20_000 if given.quick else 300_000
    whole = dictionary()
    assert whole is not None, "morfeusz2 is needed"
    world = World()
    stored = [(place, text, True) for place, text in enumerate(_queries(world, number), 1)]
    documents = list(itertools.islice(world.documents(), EVENTS))

    before = LiveIndex(Analyser(lexicon=Smaller(whole)))
    before.refresh(stored)
    saved = before.snapshot()
    del before

    began = time.perf_counter()
    renewed = LiveIndex(Analyser())
    assert renewed.restore(saved)
    missing = set(renewed.reconcile([place for place, _, _ in stored]))
    renewed.refresh(one for one in stored if one[0] in missing)
    renewed_s = time.perf_counter() - began
    told = [renewed.match(one, NOW) for one in documents]
    del renewed

    began = time.perf_counter()
    fresh = LiveIndex(Analyser())
    fresh.refresh(stored)
    fresh_s = time.perf_counter() - began
    assert told == [fresh.match(one, NOW) for one in documents], "both ways match alike"

    _report.tell(
        {"machine": _report.machine(), "sizes": {"interests": number, "events compared": EVENTS}},
        {
            "ready after a change of words": [
                {"way": "compiled anew", "s": round(fresh_s, 1), "compiled": number},
                {"way": "from the snapshot before it", "s": round(renewed_s, 1), "compiled": len(missing)},
            ]
        },
        as_json=given.json,
    )


def _queries(world: World, number: int) -> list[str]:
    found: dict[str, None] = {}
    for query in world.queries():
        try:
            found[language.canonical(language.parse(query))] = None
        except QueryError:  # drawn from too many alternatives
            continue
        if len(found) == number:
            break
    return list(found)


if __name__ == "__main__":
    main()
