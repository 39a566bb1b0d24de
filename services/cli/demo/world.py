"""The demo's region as values: institutions, their notices moved to today, and who says what where."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

WARSAW = ZoneInfo("Europe/Warsaw")
FORMATS = ("rss", "atom", "json")
PUSHER = "Urząd Miasta Torunia (przykład)"
HELD_FOR_LATER = 14
_FILE = Path(__file__).parent / "notices.json"


@dataclass(frozen=True, slots=True)
class DemoNotice:
    """One notice of the sample; times are aware, moved so that the sample's day is today."""

    key: str
    kind: str
    title: str
    summary: str
    language: str
    topics: tuple[str, ...]
    place: str
    audience: tuple[str, ...]
    published_at: datetime
    deadline_at: datetime | None
    categories: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DemoInstitution:
    """An institution with all that it will say, oldest first; `format` is its feed's, or `push`."""

    slug: str
    name: str
    kind: str
    place: str
    format: str
    notices: tuple[DemoNotice, ...]


def institutions(now: datetime) -> list[DemoInstitution]:
    """The region: every institution of the sample, the three feed formats dealt out in turn."""
    sample = json.loads(_FILE.read_text(encoding="utf-8"))
    reference = datetime.fromisoformat(sample["reference_date"]).replace(tzinfo=WARSAW)
    moved_by = timedelta(days=(now.astimezone(WARSAW).date() - reference.date()).days)
    by_name: dict[str, list[Mapping[str, Any]]] = {}
    for raw in sample["notices"]:
        by_name.setdefault(raw["institution"], []).append(raw)
    region, turn = [], 0
    for number, (name, raws) in enumerate(sorted(by_name.items()), start=1):
        shape = "push" if name == PUSHER else FORMATS[turn % len(FORMATS)]
        turn += shape != "push"
        notices = sorted((_notice(raw, moved_by, now) for raw in raws), key=lambda n: n.published_at)
        region.append(
            DemoInstitution(
                f"demo-{number:02}",
                name,
                raws[0]["institution_kind"],
                raws[0]["place"],
                shape,
                tuple(notices),
            )
        )
    return region


def _notice(raw: Mapping[str, Any], moved_by: timedelta, now: datetime) -> DemoNotice:
    deadline = raw.get("deadline_at")
    return DemoNotice(
        key=raw["id"],
        kind=raw["kind"],
        title=raw["title"],
        summary=raw["summary"],
        language=raw["language"],
        topics=tuple(raw["topics"]),
        place=raw["place"],
        audience=tuple(raw.get("audience", ())),
        published_at=min(datetime.fromisoformat(raw["published_at"]) + moved_by, now),
        deadline_at=datetime.fromisoformat(deadline) + moved_by if deadline else None,
        categories=(raw["kind"], *raw["topics"], *raw.get("tags", ())),
    )


def later(region: Sequence[DemoInstitution]) -> list[tuple[str, str]]:
    """(institution's slug, key) of the notices that appear while one watches, in order: the newest of the
    sample, and everything that is pushed."""
    newest = sorted(
        (n.published_at, one.slug, n.key) for one in region if one.format != "push" for n in one.notices
    )[-HELD_FOR_LATER:]
    pushed = [(one.slug, n.key) for one in region if one.format == "push" for n in one.notices]
    return [*pushed, *((slug, key) for _, slug, key in newest)]
