"""Mails as their readers see them, for tests."""

from dataclasses import dataclass
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default

from tests.doubles.smtp import SmtpSink


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail that arrived."""

    to: str
    message: EmailMessage

    @property
    def subject(self) -> str:
        return str(self.message["subject"])

    @property
    def id(self) -> str:
        return str(self.message["message-id"])

    @property
    def text(self) -> str:
        part = self.message.get_body(("plain",))
        assert part is not None
        return str(part.get_content())

    @property
    def html(self) -> str:
        part = self.message.get_body(("html",))
        assert part is not None
        return str(part.get_content())


def mails(sink: SmtpSink, to: str | None = None) -> list[Mail]:
    """What arrived, in order."""
    found = [Mail(one.recipient, message_from_bytes(one.message, policy=default)) for one in sink.received]
    return [one for one in found if to is None or one.to == to]
