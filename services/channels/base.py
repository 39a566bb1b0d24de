"""What every way out has in common: the outcome of one try, and the letter that mail channels carry.

Nothing here knows a protocol, a database or the pipeline; a channel never decides when to try again.
"""

import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol


class OutcomeKind(StrEnum):
    """Where one try leaves its delivery."""

    SENT = "sent"
    RETRY = "retry"
    FAILED = "failed"
    UNCERTAIN = "uncertain"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one try. `detail` is for operators and holds no personal data."""

    state: OutcomeKind
    detail: str = ""
    status: int | None = None
    retry_after_s: float | None = None
    permanent_address_fault: bool = False
    passing_address_fault: bool = False  # of this mailbox, such as a full one; not of a server
    disable: bool = False
    took_ms: float = 0.0
    address: str | None = None
    kind: str = ""  # of the failure, where there was no answer
    fault: str | None = None  # ours, theirs or the network's
    phases_ms: Mapping[str, float] | None = None
    answer: str = ""  # the beginning of what was answered: printable, and still a stranger's text


@dataclass(frozen=True, slots=True)
class Letter:
    """One e-mail for one reader, structured: each mail channel writes it in its own way.

    `text` and `html` may carry slot markers (services.domain.slots); then `salt` names them and `values`
    fills them. Letters of the same content share the same strings, which is how a channel groups them.
    What is personal stays out of its repr, and so out of logs and tracebacks.
    """

    delivery_id: str
    to: str = field(repr=False)
    from_: str
    envelope_from: str = field(repr=False)
    subject: str
    text: str = field(repr=False)
    html: str = field(repr=False)
    language: str
    date: datetime
    list_id: str = ""
    unsubscribe_url: str = field(default="", repr=False)
    archive_url: str = field(default="", repr=False)
    feedback_id: str = ""
    message_id: str = ""
    in_reply_to: str = ""
    salt: str = ""
    values: Mapping[str, str] = field(default_factory=dict, repr=False)


class MailChannel(Protocol):
    """A way out for letters. Every letter that `send` begins comes back once, with its outcome."""

    @property
    def name(self) -> str: ...

    def send(
        self, letters: Sequence[Letter], *, stopping: threading.Event | None = None
    ) -> Iterator[tuple[Letter, Outcome]]:
        """Send letters, in any order; outcomes come as they are known. Once `stopping` is set no more are
        begun, and those do not come back."""
        ...

    def close(self) -> None: ...
