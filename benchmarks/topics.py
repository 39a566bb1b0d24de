"""How well stored queries assign topics: precision and recall on notices labelled by hand, in three sets.

`sample`: the forty notices that came with labels; it knows no science and no work, and these are not judged
there. `seen`: written and labelled before any query met them; what was missed there was then mended in
general. `unseen`: written after that; no query was changed for it. The baseline gives each notice the most
frequent topic; the other gives a topic for its label's own words.
"""

import csv
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import _here  # noqa: F401
import _report

from services.domain import topics
from services.interests.classify import DEFAULTS, Classifier
from services.interests.documents import Document
from services.interests.reading import Reading
from services.interests.text import Analyser

NOTICES = Path(__file__).parent.parent / "services/cli/demo/notices.json"
JUDGED = Path(__file__).with_name("topics_judged.csv")
NOT_IN_SAMPLE = {"science", "work"}
NOW = datetime(2026, 11, 23, tzinfo=UTC)
Assign = Callable[[Reading], set[str]]


class Labelled(NamedTuple):
    """A notice as read, and the topics that people gave it."""

    reading: Reading
    wanted: set[str]


def main() -> None:
    given = _report.arguments(__doc__)
    analyser = Analyser()
    sets = {"sample": list(_sample(analyser)), "seen": [], "unseen": []}
    for row in csv.DictReader(JUDGED.read_text("utf-8").splitlines()):
        sets[row["set"]].append(Labelled(_reading(row, analyser), set(row["topics"].split())))
    ours = Classifier(DEFAULTS, analyser)
    by_label = Classifier({t.slug: _label_query(t) for t in topics.TOPICS.values()}, analyser)
    most = _most_frequent(sets["sample"])
    ways: dict[str, Assign] = {
        "always the most frequent": lambda _: {most},
        "the label's own words": lambda reading: set(by_label.topics(reading, NOW)),
        "stored queries": lambda reading: set(ours.topics(reading, NOW)),
    }
    rows = [
        {"set": name, "notices": len(labelled), "way": way,
         **_judged(labelled, assign, but=NOT_IN_SAMPLE if name == "sample" else set())}
        for name, labelled in sets.items() for way, assign in ways.items()
    ]  # fmt: skip
    _report.tell(
        {"machine": _report.machine(), "sizes": {name: len(labelled) for name, labelled in sets.items()}},
        {"topics assigned": rows},
        as_json=given.json,
    )


def _sample(analyser: Analyser) -> Iterator[Labelled]:
    for one in json.loads(NOTICES.read_text("utf-8"))["notices"]:
        yield Labelled(_reading(one, analyser), set(one["topics"]))


def _reading(one: dict[str, str], analyser: Analyser) -> Reading:
    document = Document(
        1, one["kind"], one["title"], one["summary"], "", one["language"], (), (), "1", (), (), None, NOW
    )
    return Reading(document, analyser)


def _label_query(topic: topics.Topic) -> str:
    words = [word for label in (topic.pl, topic.en) for word in label.split() if len(word) > 2]
    return " OR ".join(dict.fromkeys(words))


def _most_frequent(labelled: list[Labelled]) -> str:
    every = [topic for one in labelled for topic in one.wanted]
    return max(sorted(set(every)), key=every.count)


def _judged(labelled: list[Labelled], assign: Assign, *, but: set[str]) -> dict[str, float]:
    pairs = [(assign(one.reading) - but, one.wanted - but) for one in labelled]
    right = sum(len(got & wanted) for got, wanted in pairs)
    given, wanted_in_all = sum(len(got) for got, _ in pairs), sum(len(wanted) for _, wanted in pairs)
    return {"precision": round(right / max(given, 1), 3), "recall": round(right / wanted_in_all, 3)}


if __name__ == "__main__":
    main()
