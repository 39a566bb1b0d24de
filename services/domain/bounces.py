"""What came back about a letter, in one taxonomy, whoever told it: a mail server, a report, a provider.

Only what blames the reader's own address may silence it: a refusal of our content, our server or our sender
says nothing about the reader.
"""

import re
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

SOFT_LIMIT = 5  # soft bounces in a row that silence an address …
SOFT_WITHIN = timedelta(days=14)  # … within so long, with nothing delivered between

_ENHANCED = re.compile(r"(?<![\d.])([245])\.(\d{1,3})\.(\d{1,3})(?![\d.])")
_CODE = re.compile(r"(?<![\d.])([45]\d\d)(?=[\s\-#:])")
_GONE = frozenset({"1.0", "1.1", "1.2", "1.3", "1.6", "1.10", "2.1"})
_BOX_TROUBLE = frozenset({"2.0", "2.2", "2.4"})
_UNKNOWN_READER = re.compile(
    r"user unknown|unknown (user|recipient|mailbox|address)|no such (user|mailbox|recipient|address|person)"
    r"|(recipient|user|mailbox|address|account)\b.{0,60}(not found|does not exist|doesn't exist|unknown)"
    r"|(does not|doesn't) exist|mailbox not found|no mailbox (here|by that name)|not a valid mailbox",
    re.IGNORECASE,
)
_FULL = re.compile(
    r"(mailbox|quota|box|storage).{0,30}(full|exceed|over)|over ?quota|quota exceeded", re.IGNORECASE
)
_POLICY = re.compile(
    r"spam|blocked|blocklist|blacklist|policy|reputation|denied|spf\b|dkim|dmarc|relay", re.IGNORECASE
)


class Verdict(StrEnum):
    """What a word from outside means for the letter and its address."""

    HARD = "hard"  # there is no such address
    SOFT = "soft"  # trouble of this address that may pass; this letter is lost
    BLOCKED = "blocked"  # refused for what we are or what we said; this letter is lost
    COMPLAINT = "complaint"
    UNSUBSCRIBE = "unsubscribe"
    DELIVERED = "delivered"
    DEFERRED = "deferred"  # the other side has it and goes on trying


LOST = (Verdict.HARD, Verdict.SOFT, Verdict.BLOCKED)


@dataclass(frozen=True, slots=True)
class Heard:
    """One word from outside about one delivery. `id` is its own, so that hearing it twice counts once.

    `detail` is for operators: codes and kinds, never an address or the other side's own words.
    """

    id: str
    delivery: uuid.UUID
    verdict: Verdict
    detail: str
    at: datetime


def enhanced_status(text: str) -> str | None:
    """The first enhanced status code in a text (RFC 3463), such as `5.1.1`."""
    found = _ENHANCED.search(text)
    return found.group() if found else None


def of_failure(status: str | None, words: str) -> Verdict:
    """What a final failure means, by its enhanced status (RFC 3463) and, where that is vague, its words.

    X.1.x blames the address, X.2.x its mailbox, X.3.x and X.4.x the way there, X.5.x to X.7.x what we sent.
    A generic 5.0.0 is as good as none.
    """
    status = status or enhanced_status(words)
    rest = status[2:] if status else ""
    is_permanent = status.startswith("5") if status else _is_permanent(words)
    if _FULL.search(words) or rest in _BOX_TROUBLE:
        return Verdict.SOFT
    if is_permanent and rest in _GONE and not (rest == "1.0" and _POLICY.search(words)):
        return Verdict.HARD
    if rest.startswith(("5.", "6.", "7.")) or rest in ("2.3", "3.4", "3.2"):
        return Verdict.BLOCKED
    if is_permanent and rest in ("", "0.0") and _UNKNOWN_READER.search(words):
        return Verdict.HARD
    if is_permanent and _POLICY.search(words):
        return Verdict.BLOCKED
    return Verdict.SOFT


def _is_permanent(words: str) -> bool:
    """Whether a text speaks of a 5xx, or of nobody there without any code."""
    code = _CODE.search(words)
    return code.group(1).startswith("5") if code else bool(_UNKNOWN_READER.search(words))
