"""The letters of the outbox, for reading in a browser or a terminal. Only where no mail is really sent.

Never opens a mailbox when mail goes out by a server: those letters belong to their readers.
"""

from services.channels import outbox as channel
from services.channels.outbox import OutboxEntry, OutboxMessage
from services.errors import NotFound
from services.runtime import Runtime

FOLDER = "outbox"  # in the data folder

__all__ = ["OutboxEntry", "OutboxMessage", "list_letters", "open_letter"]


def list_letters(rt: Runtime, *, limit: int = 100) -> list[OutboxEntry]:
    """The newest letters, newest first. Raises NotFound when mail is not kept in an outbox."""
    _need_outbox(rt)
    return channel.list_messages(rt.settings.data_dir / FOLDER, limit)


def open_letter(rt: Runtime, key: str) -> OutboxMessage:
    """One letter by its key in the list. Raises NotFound."""
    _need_outbox(rt)
    return channel.read_message(rt.settings.data_dir / FOLDER, key)


def _need_outbox(rt: Runtime) -> None:
    if rt.settings.mail != "outbox":
        raise NotFound("There is no outbox: mail is sent by a server.")
