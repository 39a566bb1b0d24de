"""What a revision changed, for people: the facts that differ between two states of a notice, old and new.

Says nothing of how it is told. Facts that people do not read (topics, language, source) are left out.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.domain import places

TIMES = ("deadline_at", "starts_at", "ends_at")


@dataclass(frozen=True, slots=True)
class Difference:
    """One fact before and after: text or a time, None where there was none. `text` and `url` have no two
    sides: they changed, and are best read or followed anew."""

    field: str
    before: str | datetime | None = None
    after: str | datetime | None = None


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[Difference, ...]:
    """Times first, for they matter most; then the place and the name; last that the text is another.

    Two revisions always differ: where no fact does, it is in the body, which is told as `text`.
    """
    found = [Difference(name, _time(before[name]), _time(after[name])) for name in TIMES]
    found += [Difference("places", _places(before["places"]), _places(after["places"]))]
    found += [Difference("title", before["title"], after["title"])]
    told = tuple(one for one in found if one.before != one.after)
    if before["url"] != after["url"]:
        told = (*told, Difference("url"))
    if before["summary"] != after["summary"] or not told:
        return (*told, Difference("text"))
    return told


def _time(at: str | None) -> datetime | None:
    return datetime.fromisoformat(at) if at else None


def _places(codes: list[str]) -> str | None:
    return ", ".join(sorted(places.label(code) for code in codes)) or None
