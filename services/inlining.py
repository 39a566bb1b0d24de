"""Styles of a mail's templates written into their elements before Jinja2 reads them, once per template.

Mail readers ignore style sheets. Inlining the template, not each mail, costs nothing while sending. Template
tags are hidden from the HTML parser and must come back complete and in order; anything else is an error.
"""

import re

from css_inline import CSSInliner

from services.errors import GoniecError

_TAG = re.compile(r"\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)
_COMMENT = re.compile(r"\{#.*?#\}\n?", re.DOTALL)
_PART = re.compile(r"<[a-z][a-z0-9]*|gnc\d+gnc")
_HIDDEN = re.compile(r"<!--gnc(\d+)gnc-->|gnc(\d+)gnc")


class InliningError(GoniecError):
    """A template whose tags stand where HTML does not allow text."""

    code = "inlining"


class Inliner:
    """Inlines one style sheet into template sources, whole documents or fragments."""

    def __init__(self, css: str) -> None:
        self._css = css
        self._whole = CSSInliner(extra_css=css, load_remote_stylesheets=False)
        self._part = CSSInliner(load_remote_stylesheets=False)

    def inline(self, source: str, name: str) -> str:
        """The source with styles in its elements. Raises InliningError naming the template."""
        hidden, tags = _hide(_COMMENT.sub("", source), name)
        whole = "<html" in source
        styled = self._whole.inline(hidden) if whole else self._part.inline_fragment(hidden, self._css)
        return _reveal(styled, hidden, tags, name)


def _hide(source: str, name: str) -> tuple[str, list[str]]:
    """Statements between elements become HTML comments, expressions become words."""
    tags: list[str] = []
    pieces: list[str] = []
    end = 0
    within = False
    for found in _TAG.finditer(source):
        before = source[end : found.start()]
        if "<" in before or ">" in before:
            within = before.rfind("<") > before.rfind(">")
        statement = found.group().startswith("{%")
        if statement and within:
            raise InliningError(f"{name}: {found.group()} stands inside an element's tag; use an expression.")
        word = f"gnc{len(tags)}gnc"
        pieces += [before, f"<!--{word}-->" if statement else word]
        tags.append(found.group())
        end = found.end()
    return "".join([*pieces, source[end:]]), tags


def _reveal(styled: str, hidden: str, tags: list[str], name: str) -> str:
    if _skeleton(styled) != _skeleton(hidden):
        raise InliningError(f"{name}: a tag moved while styles were inlined; keep text out of bare tables.")
    return _HIDDEN.sub(lambda found: tags[int(found.group(1) or found.group(2))], styled)


def _skeleton(html: str) -> list[str]:
    """Elements and hidden tags in order; the parser adds `tbody` by itself."""
    return [part for part in _PART.findall(html) if part != "<tbody"]
