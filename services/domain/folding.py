"""Names as people type them: without diacritics, in any case, with any separator. Never used on running
text, where `sąd` and `sad` are two words."""

import re
import unicodedata

_UNDECOMPOSED = str.maketrans({"ł": "l", "Ł": "L", "ø": "o", "Ø": "O", "đ": "d", "Đ": "D", "ß": "ss"})
_SEPARATORS = re.compile(r"[\W_]+")


def fold(text: str) -> str:
    """Lower case without diacritics: `Łódź` → `lodz`; other scripts keep their letters."""
    plain = unicodedata.normalize("NFD", text.translate(_UNDECOMPOSED).lower())
    return "".join(mark for mark in plain if not unicodedata.combining(mark))


def slug(text: str) -> str:
    """Folded words joined by hyphens: `Nowa Wieś Wielka` → `nowa-wies-wielka`."""
    return _SEPARATORS.sub("-", fold(text)).strip("-")
