"""What a notice is about and where, when nobody says: topics by their stored queries, places by their names.

What a source says of an entry itself is believed. The source's own topics are added to either; its own place
counts where the text names none.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from functools import lru_cache

from sqlalchemy.orm import Session

from services.domain.drafts import Draft, plain, text_of
from services.domain.notices import OPERATION
from services.interests.classify import DEFAULTS, Classifier, subject
from services.interests.documents import Document
from services.interests.reading import Reading
from services.interests.text import Analyser
from services.runtime import Runtime
from services.storage import topics as store

MAX_READ = 20_000


class Labeller:
    """Labels drafts of one source by the definitions that hold now."""

    def __init__(
        self,
        rt: Runtime,
        rules: Mapping[str, str],
        *,
        topics: tuple[str, ...],
        places: tuple[str, ...],
        language: str | None,
    ) -> None:
        self._rt = rt
        self._classifier = _classifier(tuple(sorted(rules.items())), rt.analyser)
        self._topics = topics
        self._places = places
        self._language = language

    def labelled(self, draft: Draft) -> Draft:
        """The draft with topics, places and language, whoever tells them."""
        language = draft.language or self._language
        if draft.kind == OPERATION or (draft.topics and draft.places):
            topics, places = draft.topics, draft.places
        else:
            now = self._rt.clock.now()
            reading = Reading(subject(_document(draft, language, now)), self._rt.analyser)
            topics = draft.topics or self._classifier.topics(reading, now)
            places = draft.places or self._rt.gazetteer.codes(reading.title, reading.summary) or self._places
        return replace(
            draft,
            topics=tuple(dict.fromkeys((*topics, *self._topics))),
            places=places,
            language=language,
        )


def rules(session: Session) -> dict[str, str]:
    """The query of each topic as it holds here."""
    return {**DEFAULTS, **store.changed(session)}


@lru_cache(maxsize=8)
def _classifier(defined: tuple[tuple[str, str], ...], analyser: Analyser) -> Classifier:
    return Classifier(dict(defined), analyser)


def _document(draft: Draft, language: str | None, now: datetime) -> Document:
    return Document(
        notice_id=0, kind=draft.kind, title=plain(draft.title, limit=MAX_READ),
        summary=plain(draft.summary, limit=MAX_READ), body=text_of(draft.body_html)[:MAX_READ],
        language=language, topics=(), places=(), source="", institutions=(), audience=draft.audience,
        deadline_at=draft.deadline_at, published_at=now,
    )  # fmt: skip
