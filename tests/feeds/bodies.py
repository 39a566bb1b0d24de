"""Small feeds made for one test each, and the way to the shared corpus of real ones."""

from datetime import UTC, datetime
from pathlib import Path

from feeds.parse import parse
from feeds.types import Feed, Habits

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
BASE = "https://miasto.example/feed.xml"
CORPUS = Path(__file__).resolve().parents[3] / "shared" / "data" / "feeds"
NO_CORPUS = "the shared corpus of feeds (../shared/data/feeds beside the checkout) is not here"


def rss(*items: str, head: str = "<title>Miasto</title>") -> bytes:
    inside = "".join(f"<item>{item}</item>" for item in items)
    return f'<?xml version="1.0"?>\n<rss version="2.0"><channel>{head}{inside}</channel></rss>'.encode()


def read(
    body: bytes, *, content_type: str | None = None, base_url: str = BASE, habits: Habits | None = None
) -> Feed:
    return parse(body, content_type=content_type, base_url=base_url, now=NOW, habits=habits or Habits())
