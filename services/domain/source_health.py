"""How well a source is, in words: what its last answers mean, what to do, and when its silence is strange.

Pure: what is known goes in, a verdict comes out. A source that answers is not yet a source that speaks.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import pairwise

from services.domain import source_faults

BROKEN_AFTER = 3  # failures in a row; until then a server may have been restarting
LEAST_SILENCE = timedelta(days=7)
SILENCE_WITHOUT_RHYTHM = timedelta(days=60)
FEWEST_GAPS = 3


class SourceState(StrEnum):
    PUSHED = "pushed"
    NEW = "new"
    WELL = "well"
    SHAKY = "shaky"
    BROKEN = "broken"
    SILENT = "silent"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class Known:
    """What the rows say. `recent` are times of publication, in any order; `since` is the first reading;
    `alarm` is what of its last document only attacks are built of."""

    kind: str
    is_stopped: bool
    stopped_because: str | None
    errors: int
    last_error: str | None
    since: datetime | None
    recent: Sequence[datetime]
    alarm: str | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """`words` say what is the matter, `advice` what to do (empty when nothing is to be done); `code` is one
    of `CODES`, stable, for those who say it in another language.

    `rhythm` is the mean time between entries; from `alarm_at` on silence is strange.
    """

    state: SourceState
    code: str
    words: str
    advice: str
    rhythm: timedelta | None
    alarm_at: datetime | None


CODES = (*SourceState, *source_faults.CODES)
_WORST_FIRST = (
    SourceState.BROKEN, SourceState.STOPPED, SourceState.SILENT, SourceState.SHAKY, SourceState.NEW,
    SourceState.WELL, SourceState.PUSHED,
)  # fmt: skip


def judge(known: Known, *, now: datetime) -> Verdict:
    """The worst that is true of a source."""
    rhythm, alarm_at = _silence(known)
    state, code, words, advice = _state(known, alarm_at, now)
    return Verdict(state, code, words, advice, rhythm, alarm_at)


def gravity(state: SourceState) -> int:
    """A number to sort by, the worst first."""
    return _WORST_FIRST.index(state)


def _state(known: Known, alarm_at: datetime | None, now: datetime) -> tuple[SourceState, str, str, str]:
    if known.kind == "push":
        return _plain(SourceState.PUSHED, "Its institution pushes what is new.")
    if known.is_stopped:
        because = known.stopped_because or "stopped by the operator"
        words = f"It is not read any more: {because}."
        return _plain(SourceState.STOPPED, words, "`goniec source poll` tries it again.")
    if known.errors:
        state = SourceState.BROKEN if known.errors >= BROKEN_AFTER else SourceState.SHAKY
        fault = source_faults.meaning(known.last_error or "")
        return state, fault.code, fault.words, fault.advice
    if known.alarm is not None:
        fault = source_faults.ALARMS[known.alarm]
        return SourceState.SHAKY, fault.code, fault.words, fault.advice
    if known.since is None:
        return _plain(SourceState.NEW, "It was not read yet.")
    if alarm_at is not None and now >= alarm_at:
        words = "It answers, but has said nothing new for longer than is usual for it."
        return _plain(SourceState.SILENT, words, "Ask its institution whether it publishes elsewhere now.")
    return _plain(SourceState.WELL, "It is read, and answers.")


def _plain(state: SourceState, words: str, advice: str = "") -> tuple[SourceState, str, str, str]:
    """A state that is its own code."""
    return state, state.value, words, advice


def _silence(known: Known) -> tuple[timedelta | None, datetime | None]:
    """The rhythm, and from when on silence is strange: twice the longest gap of late, or four mean ones."""
    if known.since is None:
        return None, None
    dates = sorted(set(known.recent))
    gaps = [later - earlier for earlier, later in pairwise(dates)]
    last = dates[-1] if dates else known.since
    if len(gaps) < FEWEST_GAPS:
        return None, max(last, known.since) + SILENCE_WITHOUT_RHYTHM
    mean = sum(gaps, timedelta()) / len(gaps)
    return mean, last + max(2 * max(gaps), 4 * mean, LEAST_SILENCE)
