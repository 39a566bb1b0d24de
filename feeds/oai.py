"""A repository (OAI-PMH 2.0) as entries: records in its list, a page at a time, deleted ones as withdrawn.

A whole harvest is a chain of pages by resumption tokens; the place in it is kept in `memory`, so that a
harvest goes on after a crash where it stood. Dates are asked for by the day, which every repository knows.
"""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from urllib.parse import urlencode, urlsplit, urlunsplit

from feeds import prolog, tree
from feeds.draft import EntryDraft, FeedDraft, Frame
from feeds.errors import BrokenFeed, NotAFeed
from feeds.text import as_html
from feeds.tree import Element

PAGES_AT_ONCE = 20
MAX_TOKEN_CHARS = 2_000
RULES = ("set", "prefix", "since")
_WEB = re.compile(r"https?://", re.IGNORECASE)


def address_to_ask(address: str, *, rules: dict[str, str], memory: dict[str, str]) -> str:
    """ListRecords from the last complete harvest on, or the next page of the one under way."""
    asked = {"verb": "ListRecords"}
    if token := memory.get("token"):
        asked["resumptionToken"] = token  # an exclusive argument (section 3.5)
    else:
        asked["metadataPrefix"] = rules.get("prefix") or "oai_dc"
        if rules.get("set"):
            asked["set"] = rules["set"]
        if since := memory.get("from") or rules.get("since"):
            asked["from"] = since
    parts = urlsplit(address)
    return urlunsplit((parts.scheme, parts.netloc, parts.path, urlencode(asked), ""))


def read(text: str, frame: Frame) -> FeedDraft:
    """One page of a list; NotAFeed when it is no answer of a repository, BrokenFeed when it refuses."""
    root = tree.grow(prolog.to_utf8(text))
    if root is None:
        raise BrokenFeed("This answer of a repository is not well-formed XML.")
    if _local(root) != "OAI-PMH":
        raise NotAFeed("This is not a repository that speaks OAI-PMH.", looks="xml")
    memory = frame.habits.memory
    draft = FeedDraft("OAI-PMH 2.0")
    errors = {str(one.get("code")): (one.text or "").strip() for one in _all(root, "error")}
    if "badResumptionToken" in errors:  # it has run out: the harvest begins anew where the last one ended
        draft.memory = {key: value for key, value in memory.items() if key == "from"}
        draft.report.append("the repository no longer knows its resumption token: the harvest begins anew")
        return draft
    if errors and "noRecordsMatch" not in errors:
        code, words = next(iter(errors.items()))
        raise BrokenFeed(f"The repository refuses: {code} {words}".strip()[:300], code=code)
    draft.entries = [_entry(record) for record in _all(root, "record")]
    _go_on(draft, root, memory, frame)
    return draft


def _go_on(draft: FeedDraft, root: Element, memory: dict[str, str], frame: Frame) -> None:
    """Where the harvest stands after this page."""
    began = memory.get("began") or _day_of_answer(root, frame.now)
    token = next(((one.text or "").strip() for one in _all(root, "resumptionToken")), "")
    if len(token) > MAX_TOKEN_CHARS:
        raise BrokenFeed("The repository gives a resumption token that is too long to be one.")
    if token and token == memory.get("token") and not draft.entries:
        draft.report.append("the repository gives the same resumption token again: the harvest ends here")
        token = ""
    if not token:
        draft.memory = {"from": began}
        return
    page = int(memory.get("page") or 0) + 1
    draft.memory = {"token": token, "began": began, "page": str(page)}
    if memory.get("from"):
        draft.memory["from"] = memory["from"]
    draft.has_more = page % PAGES_AT_ONCE != 0


def _day_of_answer(root: Element, now: datetime) -> str:
    """The day before this answer by the repository's own clock: whose day that is, each sees otherwise."""
    raw = next(((one.text or "").strip() for one in _all(root, "responseDate")), "")
    try:
        day = date.fromisoformat(raw[:10])
    except ValueError:
        day = now.astimezone(UTC).date()
    return (min(day, now.astimezone(UTC).date()) - timedelta(days=1)).isoformat()


def _entry(record: Element) -> EntryDraft:
    header = next(_all(record, "header"), record)
    told: dict[str, list[str]] = {}
    for field in next(_all(record, "metadata"), header).iter():
        if isinstance(field.tag, str) and (words := " ".join((field.text or "").split())):
            told.setdefault(_local(field), []).append(words)
    named = [one.text or "" for one in header if _local(one) == "identifier"]
    stamps = [one.text or "" for one in header if _local(one) == "datestamp"]
    if header.get("status") == "deleted":
        return EntryDraft(guid=named[0].strip() if named else None, is_withdrawn=True)
    abstract = told.get("description", []) or told.get("abstract", [])
    return EntryDraft(
        guid=named[0].strip() if named else None,
        link=next(filter(_WEB.match, told.get("identifier", []) + told.get("relation", [])), None),
        title_markup=as_html(next(iter(told.get("title", [])), "")),
        summary_markup=as_html(" ".join(abstract)),
        content_markup="".join(f"<p>{as_html(one)}</p>" for one in abstract),
        raw_published=_in_utc(stamps[0].strip()) if stamps else None,
        authors=told.get("creator", []),
        categories=[one.strip() for line in told.get("subject", []) for one in line.split(";")],
        language=next(iter(told.get("language", [])), None),
        kind="research",
    )


def _in_utc(stamp: str) -> str:
    """A datestamp, which is in UTC also where it is only a day (section 3.3)."""
    return f"{stamp}T00:00:00Z" if len(stamp) == 10 else stamp


def _all(element: Element, name: str) -> Iterator[Element]:
    return (one for one in element.iter() if _local(one) == name)


def _local(element: Element) -> str:
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""
