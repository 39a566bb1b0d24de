"""Names in another case: `Toruniu`, `gminie Białe Błota`, `w powiecie bydgoskim`, by a list of forms.

The list holds the words of names alone and was made by the dictionary (tests/services/domain/declining.py):
names are understood the same on machines that have none. Says what a name may be; never which one is meant.
"""

import json
from collections.abc import Iterator, Mapping
from importlib.resources import files
from itertools import islice, product
from types import MappingProxyType

from services.domain.folding import slug

MAX_WORDS = 6
MOST = 64
_BEFORE = frozenset({"w", "we", "z", "ze", "do", "od", "na", "dla", "o", "przy", "in", "for", "the"})


def _read() -> dict[str, tuple[str, ...]]:
    text = files("services.domain").joinpath("data/declined.json").read_text(encoding="utf-8")
    return {form: tuple(bases) for form, bases in json.loads(text).items()}


FORMS: Mapping[str, tuple[str, ...]] = MappingProxyType(_read())
"""{a form of a word, folded: the words that stand in names so}"""


def bases(text: str) -> Iterator[str]:
    """The slugs that a name in any case may stand for, itself first; at most MOST."""
    words = slug(text).split("-")
    if len(words) > 1 and words[0] in _BEFORE:
        words = words[1:]
    if len(words) <= MAX_WORDS:
        choices = product(*((word, *FORMS.get(word, ())) for word in words))
        yield from islice(map("-".join, choices), MOST)
