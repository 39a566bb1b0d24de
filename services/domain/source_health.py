"""How well a source is, in words: what its last answers mean, what to do, and when its silence is strange.

Pure: what is known goes in, a verdict comes out. A source that answers is not yet a source that speaks.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import pairwise

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
    """What the rows say. `recent` are times of publication, in any order; `since` is the first reading."""

    kind: str
    is_stopped: bool
    stopped_because: str | None
    errors: int
    last_error: str | None
    since: datetime | None
    recent: Sequence[datetime]


@dataclass(frozen=True, slots=True)
class Verdict:
    """`words` say what is the matter, `advice` what to do (empty when nothing is to be done).

    `rhythm` is the mean time between entries; from `alarm_at` on silence is strange.
    """

    state: SourceState
    words: str
    advice: str
    rhythm: timedelta | None
    alarm_at: datetime | None


# What the beginning of an error means; the first that fits.
_MEANINGS = (
    ("forbidden", "It turns machines away (a wall against bots, or a login).",
     "Ask its webmaster to let Goniec in; the page /bot says who we are."),
    ("tls", "Its certificate or its encryption is not in order.", "Tell its webmaster."),
    ("dns", "Its name leads nowhere.", "Look whether the address has changed."),
    ("rate limited", "It says that we ask too often (429); we wait as long as it wants.", ""),
    ("unavailable", "It is down for maintenance or overloaded (503).", ""),
    ("not found", "There is nothing at this address any more (404).", "Look for its new address."),
    ("gone", "Its publisher says that it is gone for good (410).", "Look for its new address."),
    ("server error", "Its server has a fault of its own.", "If it lasts, tell its webmaster."),
    ("connect", "Its server takes no calls.", "If it lasts, tell its webmaster."),
    ("timeout", "Its server does not answer in time.", "If it lasts, tell its webmaster."),
    ("too large", "It sends more than is read (5 MB).", "Ask for a shorter feed."),
    ("too many redirects", "It leads round in circles.", "Tell its webmaster."),
    ("bad redirect", "It leads on to an address that cannot be asked.", "Tell its webmaster."),
    ("address refused", "Its address does not lead to a public host.", "Correct the address."),
    ("robots.txt", "Its robots.txt asks us not to read this address.", "Ask for a feed instead."),
)  # fmt: skip
_UNREAD = ("What it sends cannot be read as what it should be.", "Open the address and look: perhaps it "
           "has become a page, or an empty shell that a browser has to fill.")  # fmt: skip


def judge(known: Known, *, now: datetime) -> Verdict:
    """The worst that is true of a source."""
    rhythm, alarm_at = _silence(known)
    state, words, advice = _state(known, alarm_at, now)
    return Verdict(state, words, advice, rhythm, alarm_at)


def _state(known: Known, alarm_at: datetime | None, now: datetime) -> tuple[SourceState, str, str]:
    if known.kind == "push":
        return SourceState.PUSHED, "Its institution pushes what is new.", ""
    if known.is_stopped:
        because = known.stopped_because or "stopped by the operator"
        return (
            SourceState.STOPPED,
            f"It is not read any more: {because}.",
            "`goniec source poll` tries it again.",
        )
    if known.errors:
        words, advice = _meaning(known.last_error or "")
        state = SourceState.BROKEN if known.errors >= BROKEN_AFTER else SourceState.SHAKY
        return state, words, advice
    if known.since is None:
        return SourceState.NEW, "It was not read yet.", ""
    if alarm_at is not None and now >= alarm_at:
        return (
            SourceState.SILENT,
            "It answers, but has said nothing new for longer than is usual for it.",
            "Ask its institution whether it publishes elsewhere now.",
        )
    return SourceState.WELL, "It is read, and answers.", ""


def _meaning(error: str) -> tuple[str, str]:
    found = (m for m in _MEANINGS if error.lower().startswith(m[0]))
    _, words, advice = next(found, ("", *_UNREAD))
    return words, advice


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
