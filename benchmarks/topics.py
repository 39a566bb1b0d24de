"""How well stored queries assign topics: precision and recall on the forty sample notices, labelled by hand.

The baseline gives each notice the most frequent topic; the other gives a topic for its label's own words.
"""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import _here  # noqa: F401
import _report

from services.domain import topics
from services.interests.classify import DEFAULTS, Classifier
from services.interests.documents import Document
from services.interests.reading import Reading
from services.interests.text import Analyser

NOTICES = Path(__file__).parent.parent / "services/cli/demo/notices.json"
NOW = datetime(2026, 11, 23, tzinfo=UTC)
Assign = Callable[[Reading], set[str]]


def main() -> None:
    given = _report.arguments(__doc__)
    notices = json.loads(NOTICES.read_text("utf-8"))["notices"]
    analyser = Analyser()
    labelled = [(_reading(one, analyser), set(one["topics"])) for one in notices]
    ours = Classifier(DEFAULTS, analyser)
    by_label = Classifier({t.slug: _label_query(t) for t in topics.TOPICS.values()}, analyser)
    ways: dict[str, Assign] = {
        "always the most frequent": lambda _: {_most_frequent(labelled)},
        "the label's own words": lambda reading: set(by_label.topics(reading, NOW)),
        "stored queries": lambda reading: set(ours.topics(reading, NOW)),
    }
    rows = [{"way": name, **_judged(labelled, assign)} for name, assign in ways.items()]
    _report.tell(
        {"machine": _report.machine(), "sizes": {"notices": len(notices)}},
        {"topics assigned": rows},
        as_json=given.json,
    )


def _reading(one: dict[str, str], analyser: Analyser) -> Reading:
    document = Document(
        1, one["kind"], one["title"], one["summary"], "", one["language"], (), (), "1", (), (), None, NOW
    )
    return Reading(document, analyser)


def _label_query(topic: topics.Topic) -> str:
    words = [word for label in (topic.pl, topic.en) for word in label.split() if len(word) > 2]
    return " OR ".join(dict.fromkeys(words))


def _most_frequent(labelled: list[tuple[Reading, set[str]]]) -> str:
    every = [topic for _, wanted in labelled for topic in wanted]
    return max(sorted(set(every)), key=every.count)


def _judged(labelled: list[tuple[Reading, set[str]]], assign: Assign) -> dict[str, float]:
    pairs = [(assign(reading), wanted) for reading, wanted in labelled]
    right = sum(len(got & wanted) for got, wanted in pairs)
    given, wanted_in_all = sum(len(got) for got, _ in pairs), sum(len(wanted) for _, wanted in pairs)
    return {"precision": round(right / max(given, 1), 3), "recall": round(right / wanted_in_all, 3)}


if __name__ == "__main__":
    main()
