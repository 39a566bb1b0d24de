"""Mail into a Maildir on disk, where people can read it: the way out until a mail server is set.

A message appears whole or not at all, and once for each delivery however often it is tried. Nothing leaves
the machine from here.
"""

import re
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default as modern
from hashlib import blake2b
from pathlib import Path

from services.channels import mime
from services.channels.base import Letter, Outcome, OutcomeKind
from services.errors import NotFound

_KEY = re.compile(r"[0-9a-f]{32}\.goniec")


class OutboxChannel:
    """Writes each letter into `folder`, a Maildir."""

    name = "outbox"

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        for part in ("tmp", "new", "cur"):
            (folder / part).mkdir(parents=True, exist_ok=True, mode=0o700)

    def send(
        self, letters: Sequence[Letter], *, stopping: threading.Event | None = None
    ) -> Iterator[tuple[Letter, Outcome]]:
        for letter in letters:
            if stopping is not None and stopping.is_set():
                return
            began = time.perf_counter()
            outcome = self._keep(letter)
            yield letter, replace(outcome, took_ms=(time.perf_counter() - began) * 1000)

    def close(self) -> None:
        """Nothing is held open."""

    def _keep(self, letter: Letter) -> Outcome:
        key = key_of(letter.delivery_id)
        try:
            if _find(self._folder, key) is not None:
                return Outcome(OutcomeKind.SENT, "already in the outbox")
            message = mime.write_or_refuse(letter)
            if isinstance(message, Outcome):
                return message
            fresh = self._folder / "tmp" / key
            fresh.write_bytes(message.replace(b"\r\n", b"\n"))
            fresh.replace(self._folder / "new" / key)
        except OSError as exc:
            return Outcome(OutcomeKind.RETRY, f"the outbox cannot be written: {exc.strerror}")
        return Outcome(OutcomeKind.SENT, "written to the outbox")


@dataclass(frozen=True, slots=True)
class OutboxEntry:
    """One message in the list."""

    key: str
    to: str
    subject: str
    written_at: datetime
    size_bytes: int


@dataclass(frozen=True, slots=True)
class OutboxMessage:
    """One message, opened. `html` is a whole document from templates and outside text: show it sandboxed."""

    entry: OutboxEntry
    headers: tuple[tuple[str, str], ...]
    text: str
    html: str
    raw: bytes


def key_of(delivery_id: str) -> str:
    """The file name of a delivery's message, the same for every try."""
    return blake2b(delivery_id.encode(), digest_size=16).hexdigest() + ".goniec"


def list_messages(folder: Path, limit: int = 100) -> list[OutboxEntry]:
    """The newest messages, newest first."""
    found = [(path.stat().st_mtime_ns, path.name, path) for path in _files(folder)]
    return [_entry(path) for _, _, path in sorted(found, reverse=True)[:limit]]


def read_message(folder: Path, key: str) -> OutboxMessage:
    """Raises NotFound."""
    path = _find(folder, key) if _KEY.fullmatch(key) else None
    if path is None:
        raise NotFound("There is no such message in the outbox.")
    raw = path.read_bytes()
    message = _parsed(raw)
    return OutboxMessage(
        entry=_entry(path),
        headers=tuple((name, str(value)) for name, value in message.items()),
        text=_content(message, "plain"),
        html=_content(message, "html"),
        raw=raw,
    )


def _files(folder: Path) -> Iterator[Path]:
    for part in ("new", "cur"):
        if (folder / part).is_dir():
            yield from (folder / part).iterdir()


def _find(folder: Path, key: str) -> Path | None:
    """A mail reader moves what was seen to `cur` and adds flags after a colon."""
    fresh = folder / "new" / key
    return fresh if fresh.exists() else next((folder / "cur").glob(f"{key}*"), None)


def _entry(path: Path) -> OutboxEntry:
    facts = path.stat()
    with path.open("rb") as lines:
        head = _parsed(lines.read(16_384).partition(b"\n\n")[0])
    return OutboxEntry(
        key=path.name.partition(":")[0],
        to=str(head["to"] or ""),
        subject=str(head["subject"] or ""),
        written_at=datetime.fromtimestamp(facts.st_mtime, UTC),
        size_bytes=facts.st_size,
    )


def _parsed(raw: bytes) -> EmailMessage:
    return message_from_bytes(raw, policy=modern)


def _content(message: EmailMessage, kind: str) -> str:
    part = message.get_body((kind,))
    return str(part.get_content()).replace("\r\n", "\n") if part is not None else ""
