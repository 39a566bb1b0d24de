"""Interests and notices by the million, always the same for the same seed, for benchmarks of matching.

Words are those of the demo's notices, inflected as they stand there, and a long tail of made-up ones; how
often each comes falls off as in real texts. Interests: about 30 % one facet or word, 40 % two or three
conditions, 30 % boolean with groups, phrases, exclusions and deadlines.
"""

import itertools
import json
import random
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from services.domain import places, topics
from services.domain.notices import AUDIENCES, KINDS
from services.interests.documents import Document

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
_NOTICES = Path(__file__).parent.parent / "services" / "cli" / "demo" / "notices.json"
_SYLLABLES = ("ba", "bro", "cie", "czo", "da", "dra", "fe", "ga", "gro", "ha", "jo", "ka", "kle", "la", "lo",
              "mi", "mo", "na", "nie", "pa", "pra", "re", "ro", "sa", "sto", "ta", "tra", "wa", "wi", "za"
              )  # fmt: skip
_ENDINGS = ("ść", "ści", "ością", "ów", "ą", "ę", "ymi", "ność", "ności")
INFLECTED = 2_000
WORDS = 20_000
ASKED_WORDS = 15_000
TEXT_WORDS = 200
_COMMON = 300  # the most frequent words carry no meaning, and nobody asks for them


class World:
    """One region: its words, institutions and sources."""

    def __init__(self, seed: int = 1) -> None:
        self._random = random.Random(seed)
        self._words = _vocabulary(self._random)
        self._frequencies = list(itertools.accumulate(1 / (rank + 10) for rank in range(len(self._words))))
        self._asked = self._words[_COMMON : _COMMON + ASKED_WORDS]
        self._random.shuffle(self._asked)  # what is asked for most is not what is written most
        self._favour = list(itertools.accumulate(1 / (rank + 300) ** 0.8 for rank in range(ASKED_WORDS)))
        self._topics = sorted(topics.TOPICS)
        self._places = sorted(places.PLACES)
        self._institutions = [f"inst-{number}" for number in range(2_000)]
        self._sources = [str(number) for number in range(1, 3_001)]

    def documents(self) -> Iterator[Document]:
        for number in itertools.count(1):
            yield self._document(number)

    def queries(self) -> Iterator[str]:
        """Texts of queries; some come twice."""
        while True:
            drawn = self._random.random()
            if drawn < 0.3:
                yield self._single()
            elif drawn < 0.7:
                yield " ".join(self._single() for _ in range(self._random.choice((2, 2, 3))))
            else:
                yield self._boolean()

    def _single(self) -> str:
        pick = self._random
        drawn = pick.random()
        if drawn < 0.55:
            return self._word()
        if drawn < 0.62:
            return f"title:{self._word()}"
        field, values = pick.choice(
            (
                ("topic", self._topics),
                ("place", self._places),
                ("institution", self._institutions),
                ("source", self._sources),
            )
        )
        return f"{field}:{pick.choice(values)}"

    def _boolean(self) -> str:
        pick = self._random
        parts = [f"({' OR '.join(self._single() for _ in range(pick.choice((2, 2, 3))))})"]
        parts.append(self._single())
        if pick.random() < 0.3:
            parts.append(f'"{self._word()} {self._word()}"')
        if pick.random() < 0.25:
            parts.append(f"deadline{pick.choice(('<', '>='))}{pick.choice((7, 14, 30, 60))}d")
        if pick.random() < 0.2:
            parts.append(f"kind:{pick.choice(KINDS)}")
        if pick.random() < 0.1:
            parts.append(f"audience:{pick.choice(AUDIENCES)}")
        if pick.random() < 0.4:
            parts.append(f"-{self._single()}")
        query = " ".join(parts)
        return f"({query}) OR ({self._single()} {self._single()})" if pick.random() < 0.15 else query

    def _word(self) -> str:
        return self._random.choices(self._asked, cum_weights=self._favour)[0]

    def _document(self, number: int) -> Document:
        pick = self._random
        words = pick.choices(self._words, cum_weights=self._frequencies, k=TEXT_WORDS)
        title, summary, body = words[:8], words[8:30], words[30:]
        return Document(
            notice_id=number,
            kind=pick.choice(KINDS),
            title=" ".join(title).capitalize(),
            summary=" ".join(summary).capitalize() + ".",
            body=". ".join(" ".join(body[at : at + 12]).capitalize() for at in range(0, len(body), 12)),
            language="pl",
            topics=tuple(pick.sample(self._topics, k=2)),
            places=(pick.choice(self._places),),
            source=pick.choice(self._sources),
            institutions=(pick.choice(self._institutions),),
            audience=(pick.choice(AUDIENCES),),
            deadline_at=NOW + timedelta(days=pick.randrange(90)) if pick.random() < 0.5 else None,
            published_at=NOW,
        )


def _vocabulary(pick: random.Random) -> list[str]:
    """Words of the demo first, then their other forms, then made-up ones."""
    notices = json.loads(_NOTICES.read_text(encoding="utf-8"))["notices"]
    texts = " ".join(f"{one['title']} {one['summary']}".lower() for one in notices)
    real = list(dict.fromkeys(re.findall(r"[^\W\d_]{3,}", texts)))
    forms = _inflected(real)
    pick.shuffle(forms)
    made = (
        "".join(pick.choices(_SYLLABLES, k=pick.randint(2, 4))) + pick.choice(_ENDINGS)
        for _ in range(4 * WORDS)
    )
    return list(itertools.islice(dict.fromkeys(itertools.chain(real, forms[:INFLECTED], made)), WORDS))


def _inflected(words: list[str]) -> list[str]:
    """All forms of the words, where the dictionary is installed."""
    try:
        import morfeusz2
    except ImportError:
        return []
    dictionary = morfeusz2.Morfeusz()
    lemmas = {reading[2][1].partition(":")[0] for word in words for reading in dictionary.analyse(word)}
    forms = {form[0] for lemma in sorted(lemmas) for form in dictionary.generate(lemma)}
    return sorted(form for form in forms if form.isalpha() and form.islower() and len(form) > 2)
