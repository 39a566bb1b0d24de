"""How feeds are read beside feedparser: every file, every difference judged, the time of each.

The corpus is a folder of feeds (../shared/data/feeds beside the checkout; --corpus names another). Baselines
in the same run: feedparser as it comes, and feedparser without sanitising and resolving links. Floor: the
tree alone (lxml) of the same bytes. A difference not judged in benchmarks/feeds_judged.csv counts as worse.
"""

import argparse
import csv
import gc
import io
import statistics
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import _here  # noqa: F401
import _report
import feedparser  # type: ignore[import-untyped]
from lxml import etree

from feeds.errors import FeedError
from feeds.links import same_page, web_link
from feeds.parse import parse
from feeds.pool import ParserPool
from feeds.text import one_line, person, plain
from feeds.types import Feed

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
BASE = "https://miasto.example/kanal/feed.xml"
CORPUS = Path(__file__).resolve().parents[2] / "shared" / "data" / "feeds"
JUDGED = Path(__file__).with_name("feeds_judged.csv")
SUMMARY_CHARS = 200
FIELDS = ("entries", "title", "link", "id", "date", "summary", "authors", "categories", "enclosures", "links")
_CACHES: list[Any] = [
    found
    for name, module in sorted(sys.modules.items())
    if name.startswith("feeds.")
    for found in vars(module).values()
    if hasattr(found, "cache_clear")
]
Row = dict[str, object]
Said = dict[str, list[Any]]  # field → what each entry says


@dataclass(frozen=True, slots=True)
class Difference:
    """Of how many entries of a file a field differs, with the first of them."""

    file: str
    field: str
    entries: int
    ours: str
    theirs: str
    verdict: str
    why: str


def main() -> None:
    given = _arguments()
    machine = _report.machine()
    bodies = dict(_bodies(Path(given.corpus)))
    judged = _judgements()
    differences = [one for file, body in bodies.items() for one in _differences(file, body, judged)]
    verdicts = Counter(_verdict([one for one in differences if one.file == file]) for file in bodies)
    times, figures = _times(bodies, rounds=given.rounds or (2 if given.quick else 7))
    figures = {
        "machine": machine, "files": len(bodies), "megabytes": round(sum(map(len, bodies.values())) / 1e6, 2),
        **{f"files {name}": verdicts[name] for name in ("equal", "better", "worse")}, **figures,
    }  # fmt: skip
    tables: dict[str, list[Row]] = {
        "differences from feedparser alone": [_row(one) for one in differences],
        "milliseconds": times,
    }
    _report.tell(figures, tables, as_json=given.json)


def _arguments() -> argparse.Namespace:
    read = _report.parser(__doc__)
    read.add_argument("--corpus", default=str(CORPUS), help="a folder of feeds")
    return read.parse_args()


def _bodies(corpus: Path) -> Iterator[tuple[str, bytes]]:
    """The feeds below a folder, by name; lists of feeds (OPML) are not feeds."""
    for path in sorted(corpus.rglob("*.*")):
        name = path.relative_to(corpus).as_posix()
        if path.suffix in (".xml", ".rdf", ".rss", ".atom", ".json") and not name.startswith("opml/"):
            yield name, path.read_bytes()


def _judgements() -> dict[tuple[str, str], tuple[str, str]]:
    with JUDGED.open(encoding="utf-8", newline="") as file:
        return {(row["file"], row["field"]): (row["verdict"], row["why"]) for row in csv.DictReader(file)}


def _differences(
    file: str, body: bytes, judged: dict[tuple[str, str], tuple[str, str]]
) -> Iterator[Difference]:
    ours, theirs = _ours(_feed(body)), _theirs(_feedparser(body))
    places = list(_same_entries(ours, theirs))
    for field in FIELDS:
        pairs = [(ours[field][a], theirs[field][b]) for a, b in ([(0, 0)] if field == "entries" else places)]
        found = [(a, b) for a, b in pairs if a != b]
        if found:
            verdict, why = judged.get((file, field), ("worse", "not judged"))
            first = (_short(found[0][0]), _short(found[0][1]))
            yield Difference(file, field, len(found), *first, verdict, why)


def _same_entries(ours: Said, theirs: Said) -> Iterator[tuple[int, int]]:
    """Places of one entry in both: by order where both found as many, else by link or title."""
    if ours["entries"] == theirs["entries"]:
        yield from ((place, place) for place in range(len(ours["title"])))
        return
    free = list(range(len(theirs["title"])))
    for a, (link, title) in enumerate(zip(ours["link"], ours["title"], strict=True)):
        same = [b for b in free if (link and theirs["link"][b] == link) or theirs["title"][b] == title]
        if same:
            free.remove(same[0])
            yield a, same[0]


def _verdict(differences: list[Difference]) -> str:
    """A file is worse when one of its differences is, better when one is better, else equal."""
    found = {one.verdict for one in differences}
    return "worse" if "worse" in found else "better" if "better" in found else "equal"


def _feed(body: bytes) -> Feed | None:
    try:
        return parse(body, content_type=None, base_url=BASE, now=NOW)
    except FeedError:
        return None


def _feed_afresh(body: bytes) -> Feed | None:
    """As on first sight: no date, link or label is known from an earlier reading."""
    for cache in _CACHES:
        cache.cache_clear()
    return _feed(body)


def _feedparser(body: bytes) -> Any:
    return feedparser.parse(io.BytesIO(body), response_headers={"content-location": BASE})


def _ours(feed: Feed | None) -> Said:
    entries = feed.entries if feed else ()
    return {
        "entries": [len(entries)],
        "title": [entry.title for entry in entries],
        "link": [entry.link for entry in entries],
        "id": [entry.guid for entry in entries],
        "date": [entry.published_at and entry.published_at.replace(microsecond=0) for entry in entries],
        "summary": [entry.summary[:SUMMARY_CHARS] for entry in entries],
        "authors": [entry.authors for entry in entries],
        "categories": [entry.categories for entry in entries],
        "enclosures": [tuple(one.url for one in entry.enclosures) for entry in entries],
        "links": [_links(entry.content_html) for entry in entries],
    }


def _theirs(found: Any) -> Said:
    """What feedparser says, in the same terms: plain titles, dates in UTC, names without addresses."""
    entries = found.entries
    return {
        "entries": [len(entries)],
        "title": [_plain(entry, "title", 1_000) for entry in entries],
        "link": [web_link(entry.get("link"), BASE) for entry in entries],
        "id": [one_line(entry.id, max_chars=4_000) if dict.get(entry, "id") else None for entry in entries],
        "date": [_date(entry) for entry in entries],
        "summary": [_plain(entry, "summary", 1_000)[:SUMMARY_CHARS] for entry in entries],
        "authors": [_names(entry) for entry in entries],
        "categories": [_labels(tag.get("label") or tag.get("term") for tag in entry.get("tags", []))
                       for entry in entries],
        "enclosures": [_enclosures(entry) for entry in entries],
        "links": [_links(_content(entry)) for entry in entries],
    }  # fmt: skip


def _plain(entry: Any, field: str, max_chars: int) -> str:
    kind = (entry.get(f"{field}_detail") or {}).get("type", "text/html")
    said = entry.get(field) or ""
    return plain(said, max_chars=max_chars) if "html" in kind else one_line(said, max_chars=max_chars)


def _date(entry: Any) -> datetime | None:
    at = entry.get("published_parsed") or dict.get(entry, "updated_parsed")
    return min(datetime(*at[:6], tzinfo=UTC), NOW) if at else None


def _names(entry: Any) -> tuple[str, ...]:
    names = [author.get("name") for author in entry.get("authors", []) if author.get("name")]
    return _labels(map(person, names))


def _labels(found: Any) -> tuple[str, ...]:
    return tuple(dict.fromkeys(plain(label, max_chars=200) for label in found if label))


def _enclosures(entry: Any) -> tuple[str, ...]:
    links = [link for link in entry.get("links", []) if link.get("rel") == "enclosure"]
    return tuple(url for link in links if (url := web_link(link.get("href"), BASE)))


def _content(entry: Any) -> str:
    values = [one.value for one in entry.get("content", []) if "html" in one.type]
    return max(values, key=len, default="") or entry.get("summary") or ""


def _links(markup: str) -> tuple[str, ...]:
    """Where the links of a text lead, by HTML's own reading."""
    if "<a" not in markup.lower():
        return ()
    root = etree.fromstring(f"<div>{markup}</div>", etree.HTMLParser())
    hrefs = (web_link(one.get("href"), BASE) for one in root.iter("a"))
    return tuple(same_page(href) for href in hrefs if href)


def _short(value: object) -> str:
    if isinstance(value, tuple):
        value = ", ".join(map(str, value)) or "nothing"
    return one_line(str(value), max_chars=70)


def _row(one: Difference) -> Row:
    return {name: getattr(one, name) for name in Difference.__slots__}


def _times(bodies: dict[str, bytes], *, rounds: int) -> tuple[list[Row], Row]:
    """The best of all rounds for each file and way; processor time, so that neighbours matter less."""
    with ParserPool() as pool:
        ways: dict[str, Callable[[bytes], object]] = {
            "floor: tree": _tree,
            "goniec": _feed,
            "goniec, at first sight": _feed_afresh,
            "feedparser bare": _feedparser_bare,
            "feedparser": _feedparser,
        }
        best = {
            way: {file: _best(read, body, rounds) for file, body in bodies.items()}
            for way, read in ways.items()
        }
        in_child = {file: _best_wall(pool, body, rounds) for file, body in bodies.items()}
    best["goniec in a child, wall"] = in_child
    totals = {way: sum(times.values()) for way, times in best.items()}
    rows: list[Row] = [
        {
            "way": way,
            "ms a feed": round(totals[way] / len(bodies), 3),
            "p95": round(statistics.quantiles(times.values(), n=20)[-1], 2),
            "slowest": round(max(times.values()), 1),
            "total": round(totals[way], 1),
            "feedparser takes": f"{totals['feedparser'] / totals[way]:.1f} times as long",
        }
        for way, times in best.items()
    ]
    slower = [file for file in bodies if best["goniec"][file] > best["feedparser"][file]]
    return rows, {
        "times faster than feedparser": round(totals["feedparser"] / totals["goniec"], 1),
        "files slower than feedparser": ", ".join(slower) or "none",
    }


def _best(read: Callable[[bytes], object], body: bytes, rounds: int) -> float:
    times = []
    gc.collect()
    for _ in range(rounds):
        start = time.process_time()
        read(body)
        times.append(time.process_time() - start)
    return min(times) * 1_000


def _best_wall(pool: ParserPool, body: bytes, rounds: int) -> float:
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        with suppress(FeedError):
            pool.parse_safely(body, content_type=None, base_url=BASE, now=NOW)
        times.append(time.perf_counter() - start)
    return min(times) * 1_000


def _tree(body: bytes) -> object:
    try:
        return etree.fromstring(body, etree.XMLParser(no_network=True, resolve_entities=False))
    except etree.XMLSyntaxError:
        return None


def _feedparser_bare(body: bytes) -> object:
    return feedparser.parse(io.BytesIO(body), sanitize_html=False, resolve_relative_uris=False)


if __name__ == "__main__":
    main()
