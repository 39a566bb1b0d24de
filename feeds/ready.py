"""Documents that need no preparing: UTF-8 that says so, no document type, nothing to mend.

Most feeds are such. They go to the XML parser as they came, neither decoded nor copied. Must say no wherever
`feeds.decode` or `feeds.prolog` might change a character; what it lets through is still looked at by a
parser that refuses whatever is not UTF-8 or not well formed, and then it goes the long way after all.
"""

import re

from feeds.decode import labels_of

# Nothing in angle brackets inside of a remark or an instruction: a document type cannot hide there.
_START = re.compile(
    rb"(?:<\?xml\s[^<>]{0,300}\?>\s*)?(?:<\?xml-stylesheet\s[^<>]{0,1000}\?>\s*|<!--[^<>]{0,2000}-->\s*){0,9}"
    rb"<(?:rss|feed|rdf:RDF)[\s>]"
)
# Ã, Ä or Å before what the second half of a letter looks like in windows-1252: UTF-8 encoded twice.
_TWICE = re.compile(rb"\xc3[\x83-\x85][\xc2\xc5\xc6\xcb\xe2]")


def as_it_is(body: bytes, *, content_type: str | None) -> bytes | None:
    """The document in a body, when a parser may have it unchanged; else None."""
    document = body.lstrip(b" \t\r\n")
    if not _START.match(document) or b"\x7f" in document:
        return None
    if any(label != "utf-8" for label in labels_of(body, content_type)):
        return None
    if not document.isascii() and _TWICE.search(document):
        return None
    return document
