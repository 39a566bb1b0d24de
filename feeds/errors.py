"""Why a body could not be read as a feed, a list or a page.

    FeedError
    ├── TooLarge           more bytes than are ever parsed
    ├── NotAFeed           another kind of document: a page, a picture, nothing
    ├── BrokenFeed         says that it is a feed and cannot be read as one
    ├── BrokenOpml         a list of feeds that cannot be read, or that declares entities
    └── ParserStopped      the child process was ended; the body is suspect
        ├── TooSlow            over the time limit
        ├── TooMuchMemory      over the memory limit
        └── ParserCrashed      ended without an answer

Each carries a stable `code` and `data`. Nothing else may leave the readers of this package.
"""

from typing import ClassVar


class FeedError(Exception):
    """The root: a document from outside that gives no feed."""

    code: ClassVar[str] = "feed-error"

    def __init__(self, message: str, **data: object) -> None:
        super().__init__(message)
        self.message = message
        self.data = data


class TooLarge(FeedError):
    code = "feed-too-large"


class NotAFeed(FeedError):
    code = "not-a-feed"


class BrokenFeed(FeedError):
    code = "broken-feed"


class BrokenOpml(FeedError):
    code = "broken-opml"


class ParserStopped(FeedError):
    """The parser had to be ended: quarantine the source, do not try the same body again."""

    code = "parser-stopped"


class TooSlow(ParserStopped):
    code = "parser-too-slow"


class TooMuchMemory(ParserStopped):
    code = "parser-too-much-memory"


class ParserCrashed(ParserStopped):
    code = "parser-crashed"


_BY_CODE: dict[str, type[FeedError]] = {
    kind.code: kind
    for kind in (
        TooLarge,
        NotAFeed,
        BrokenFeed,
        BrokenOpml,
        ParserStopped,
        TooSlow,
        TooMuchMemory,
        ParserCrashed,
    )
}


def by_code(code: str) -> type[FeedError]:
    """The class with this code; an unknown code reads as a crash."""
    return _BY_CODE.get(code, ParserCrashed)
