"""Sketches of drafts, by the words as the matcher understands them: an inflected copy is a copy."""

import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice

from services.domain.drafts import Draft, text_of
from services.domain.likeness import LEAST_SEGMENT, LEAST_TELLING, MAX_WORDS, Sketch, digest, facts, shingles
from services.interests.text import Analyser
from services.interests.tokens import Token, tokenise

_SEGMENT = re.compile(r"\s[-–—|]\s|[:;?!|()„”\"]|\.\s")
_CONTENT_LETTERS = 4
_PROPER = re.compile(r"(?<=[a-ząćęłńóśźż,] )[A-ZĄĆĘŁŃÓŚŹŻ][a-ząćęłńóśźż]{2,}")
_MAX_PROPER = 100
_OF_ANY_MEETING = re.compile(
    r"sesj|rad[aąęyz]|gmin|miast|miejsk|powiat|komisj|posiedz|dzień|dni|drzwi|otwar|spotkan|zebran|waln|konsultac"
    r"|szkole|warsztat|konferenc|seminar|webinar|wykład|kurs|targ|prac|inaugur|rok|akadem|uczeln|wyższ|zarząd|senat"
    r"|wydzia|bezpłatn|open|days?$|meeting|workshop|conference|council|session|training|free"
)


def sketch(draft: Draft, analyser: Analyser) -> Sketch:
    """What of a draft is compared with others."""
    nothing: frozenset[int] = frozenset()
    said = Sketch(
        kind=draft.kind,
        shingles=nothing,
        segments=nothing,
        names=frozenset(),
        facts=(frozenset(), frozenset(), frozenset()),
        places=frozenset(draft.places),
        starts_at=draft.starts_at,
        ends_at=draft.ends_at,
        deadline_at=draft.deadline_at,
    )
    return read(said, draft.title, f"{draft.summary}\n{text_of(draft.body_html)}", draft.language, analyser)


def read(said: Sketch, title: str, text: str, language: str | None, analyser: Analyser) -> Sketch:
    """A sketch with its words read, or read anew by another analyser; what is no word stays as it is."""
    is_english = language == "en"
    keys = [_key(token, analyser, is_english) for token in islice(tokenise(text), MAX_WORDS)]
    names = (_key(token, analyser, is_english) for token in tokenise(title))
    return replace(
        said,
        shingles=shingles(keys),
        segments=frozenset(_segments(title, analyser, is_english)),
        names=frozenset(name for name in names if name.startswith("^")),
        facts=facts(f"{title}\n{text}"),
        proper=frozenset(_proper(text, analyser, is_english)),
    )


def _proper(text: str, analyser: Analyser, is_english: bool) -> Iterator[str]:
    """Words with a capital that no beginning of a sentence explains."""
    for found in islice(_PROPER.finditer(text), _MAX_PROPER):
        yield _key(Token(found[0], is_name_like=True), analyser, is_english)


def _segments(title: str, analyser: Analyser, is_english: bool) -> Iterator[int]:
    """The parts of a title that say of themselves what a meeting is about."""
    for part in _SEGMENT.split(title):
        words = [token for token in tokenise(part) if len(token.form) >= _CONTENT_LETTERS]
        telling = [word for word in words if not _OF_ANY_MEETING.match(word.form)]
        if len(words) >= LEAST_SEGMENT and len(telling) >= LEAST_TELLING:
            yield digest(_key(word, analyser, is_english) for word in words)


def _key(token: Token, analyser: Analyser, is_english: bool) -> str:
    return min(analyser.document_keys(token, is_english=is_english), default=token.form)
