"""What a mail server's answer means for a delivery (RFC 5321 section 4.2, RFC 3463).

Only an answer that blames the recipient's own address may suppress it: a server that refuses us, our content
or our sender says nothing about the reader.
"""

import re
from dataclasses import dataclass
from enum import StrEnum

from services.channels.base import Outcome, OutcomeKind

_ENHANCED = re.compile(r"([245])\.(\d{1,3})\.(\d{1,3})(?:\s|$)")
_ADDRESS_FAULTS = frozenset({"5.1.0", "5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10", "5.2.1"})
_UNKNOWN_READER = re.compile(
    r"user unknown|unknown (user|recipient|mailbox|address)|no such (user|mailbox|recipient|address|person)"
    r"|(recipient|user|mailbox|address)\b.{0,60}(not found|does not exist|doesn't exist|unknown|invalid)"
    r"|(does not|doesn't) exist|invalid (recipient|mailbox)|mailbox (unavailable|not found)|no mailbox",
    re.IGNORECASE,
)
_POLICY = re.compile(
    r"spam|block|policy|relay|denied|blacklist|reputation|spf|dkim|dmarc|sender", re.IGNORECASE
)


class Stage(StrEnum):
    """Which step of a transaction an answer belongs to."""

    SENDER = "MAIL"
    RECIPIENT = "RCPT"
    DATA = "DATA"
    MESSAGE = "the message"


@dataclass(frozen=True, slots=True)
class Reply:
    """A server's answer: its code and its text, lines joined."""

    code: int
    text: str

    @property
    def enhanced(self) -> str | None:
        found = _ENHANCED.match(self.text)
        return found.group().strip() if found else None

    @property
    def is_positive(self) -> bool:
        return 200 <= self.code < 400


def outcome_of(reply: Reply, stage: Stage) -> Outcome:
    """What this answer to this step means. The detail holds codes, never the server's words."""
    said = f"{reply.code} {reply.enhanced}" if reply.enhanced else str(reply.code)
    if reply.is_positive:
        return Outcome(OutcomeKind.SENT, f"accepted: {said}", status=reply.code)
    detail = f"refused at {stage}: {said}"
    if 400 <= reply.code < 500:
        of_mailbox = stage is Stage.RECIPIENT and (reply.enhanced or "").startswith(("4.1.", "4.2."))
        return Outcome(OutcomeKind.RETRY, detail, status=reply.code, passing_address_fault=of_mailbox)
    at_fault = stage in (Stage.RECIPIENT, Stage.MESSAGE) and _blames_the_address(reply, stage)
    return Outcome(OutcomeKind.FAILED, detail, status=reply.code, permanent_address_fault=at_fault)


def _blames_the_address(reply: Reply, stage: Stage) -> bool:
    if reply.enhanced:
        return reply.enhanced in _ADDRESS_FAULTS
    if reply.code not in (550, 551, 553) or _POLICY.search(reply.text):
        return False
    return stage is Stage.RECIPIENT or bool(_UNKNOWN_READER.search(reply.text))
