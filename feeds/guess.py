"""The encoding of a document that says nothing about it, from the shape of its letters: the last resort.

Only scripts whose bytes are unlike Western and Central European text are recognised; must rather say None
than take one of those for another: accents stand alone there, letters of these scripts stand in rows.
"""

import re
from collections.abc import Callable

_ROW = re.compile(rb"[\x80-\xff]{3,}")
_KANA = re.compile("[\u3041-\u30fe]")
_HAN = re.compile("[\u4e00-\u9fff]")
_HANGUL = re.compile("[\uac00-\ud7a3]")
_HEBREW = re.compile("[\u05d0-\u05ea]")
_CYRILLIC = re.compile("[\u0410-\u044f\u0401\u0451\u0404\u0454\u0406\u0456\u0407\u0457]")
_CYRILLIC_SMALL = re.compile("[\u0430-\u044f]")
_PUNCTUATION = re.compile("[\u2010-\u2026\u3000-\u303f\uff01-\uff60\u00a0\u00ab\u00bb]")


def guess(body: bytes) -> str | None:
    """The name of the encoding, or None when the bytes look like none of those known here."""
    high = len(body) - len(body.translate(None, bytes(range(0x80, 0x100))))
    if high < 6:
        return None
    for name, looks_right in _KNOWN:
        try:
            text = body.decode(name)
        except UnicodeDecodeError:
            continue
        wide = "".join(char for char in text if char > "\x7f")
        if looks_right(_PUNCTUATION.sub("", wide)):
            return name if name not in _IN_ROWS or _stand_in_rows(body, high) else None
    return None


def _stand_in_rows(body: bytes, high: int) -> bool:
    return sum(map(len, _ROW.findall(body))) >= 0.6 * high


def _share(pattern: re.Pattern[str], text: str) -> float:
    return len(pattern.findall(text)) / len(text) if text else 0.0


def _is_japanese(letters: str) -> bool:
    kana = _share(_KANA, letters)
    return kana >= 0.2 and kana + _share(_HAN, letters) >= 0.9


def _is_cyrillic(letters: str) -> bool:
    """KOI8 and windows-1251 read as each other have their capitals and small letters exchanged."""
    return _share(_CYRILLIC, letters) >= 0.9 and _share(_CYRILLIC_SMALL, letters) >= 0.5


_KNOWN: tuple[tuple[str, Callable[[str], bool]], ...] = (
    ("euc_jp", _is_japanese),
    ("shift_jis", _is_japanese),
    ("euc_kr", lambda letters: _share(_HANGUL, letters) >= 0.8),
    ("gb2312", lambda letters: _share(_HAN, letters) >= 0.8),
    ("cp1255", lambda letters: _share(_HEBREW, letters) >= 0.97),  # before those that have letters there too
    ("koi8-r", _is_cyrillic),
    ("cp1251", _is_cyrillic),
)
_IN_ROWS = frozenset({"koi8-r", "cp1251", "cp1255"})
