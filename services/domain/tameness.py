"""Whether a body of HTML can be cleaned at a cost that grows with its length.

A cleaner reads HTML as browsers do: formatting that is never closed is put anew around all that follows, and
each element looks at those around it. So 66 kB can become gigabytes (the billion laughs of HTML) and end the
process. Counted before, in one pass; what cannot be told for certain counts against the body, never for it.
"""

import re

FEW_TAGS = 60  # not worth the counting
DEEPEST = 300
COPIES_A_CHAR = 10  # characters of formatting put anew
LEAST_COPIES = 20_000

_FORMATTING = frozenset((
    "a", "b", "big", "code", "em", "font", "i", "nobr", "s", "small", "strike", "strong", "tt", "u",
))  # fmt: skip
_ONCE = frozenset(("a", "nobr"))  # a second one ends the first
# Inside these the end of what was opened outside is not heard.
_DEAF = frozenset((
    "applet", "button", "caption", "iframe", "marquee", "math", "noembed", "noframes", "noscript",
    "object", "plaintext", "script", "select", "style", "svg", "table", "td", "template", "textarea",
    "th", "title", "xmp",
))  # fmt: skip
_CELLS = frozenset(("td", "th", "caption"))  # end with their table
_FLAT = frozenset((
    "area", "base", "br", "col", "colgroup", "dd", "dt", "embed", "hr", "img", "input", "li", "link",
    "meta", "option", "p", "param", "source", "tbody", "td", "tfoot", "th", "thead", "tr", "track",
    "wbr",
))  # fmt: skip
_ATTRIBUTE = r"""\s++[^\s"'<>=/]++(?:\s*+=\s*+(?:"[^"<>]*+"|'[^'<>]*+'|[^\s"'<>=`]++))?+"""
_TOKEN = re.compile(
    r"<!--(?!-?>).*?(?:--!?>|\Z)"
    rf"|<(/?)([A-Za-z][^\s<>/\"'=]{{0,40}}+)((?:{_ATTRIBUTE})*+\s*+/?>)?+"
    r"|<([!?/](?:[^<>]*+>)?+)",
    re.DOTALL,
)


def is_tame(markup: str) -> bool:
    """False for a body that multiplies or is nested out of all measure."""
    if markup.count("<") <= FEW_TAGS:
        return True
    count = _Count()
    for token in _TOKEN.finditer(markup):
        slash, name, rest, other = token.groups()
        count.copies += count.formatting
        if name is None:
            count.is_certain &= other is None or other.endswith(">")
        elif rest is None:
            count.is_certain = False
            count.opened(name.lower(), len(token[0]))
        elif slash:
            count.closed(name.lower())
        else:
            count.opened(name.lower(), len(token[0]))
        if count.depth > DEEPEST or count.copies > LEAST_COPIES + COPIES_A_CHAR * len(markup):
            return False
    return True


class _Count:
    """What is open, at least as much as any reader holds open. Lengths are of the tags as written."""

    def __init__(self) -> None:
        self.is_certain = True  # that what looks like a tag is one, and no part of a value
        self.formatting = 0
        self.copies = 0
        self.depth = 0
        self._scopes: list[tuple[str, dict[str, list[int]]]] = [("", {})]

    def opened(self, name: str, length: int) -> None:
        if name in _DEAF:
            self._scopes.append((name, {}))
        open_here = self._scopes[-1][1].setdefault(name, [])
        if name in _ONCE and open_here and self.is_certain:
            self.closed(name)
        open_here.append(length)
        self.formatting += length if name in _FORMATTING else 0
        self.depth += name not in _FLAT

    def closed(self, name: str) -> None:
        if not self.is_certain:
            return
        while name == "table" and self._scopes[-1][0] in _CELLS:
            self._leave()
        if name == self._scopes[-1][0]:
            self._leave()
        open_here = self._scopes[-1][1].get(name)
        if open_here:
            length = open_here.pop()
            self.formatting -= length if name in _FORMATTING else 0
            self.depth -= name not in _FLAT

    def _leave(self) -> None:
        for name, lengths in self._scopes.pop()[1].items():
            self._scopes[-1][1].setdefault(name, []).extend(lengths)
