"""The outbox holds each delivery once, whole, readable by Goniec's page and by any mail reader."""

import mailbox
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from services.channels import outbox
from services.channels.base import OutcomeKind
from services.channels.outbox import OutboxChannel
from services.errors import NotFound
from tests.services.channels.letters import letter


def test_a_letter_becomes_a_message_that_any_mail_reader_opens(tmp_path: Path) -> None:
    [(sent, outcome)] = OutboxChannel(tmp_path).send([letter()])
    assert sent == letter()
    assert outcome.state is OutcomeKind.SENT
    [message] = mailbox.Maildir(tmp_path)
    assert message["To"] == "reader@mail.example"


def test_the_page_lists_the_newest_first_and_opens_one(tmp_path: Path) -> None:
    list(OutboxChannel(tmp_path).send([letter(delivery_id=f"d-{number}") for number in range(3)]))
    entries = outbox.list_messages(tmp_path, limit=2)
    assert len(entries) == 2
    assert entries[0].written_at >= entries[1].written_at > datetime.now(UTC) - timedelta(minutes=1)
    opened = outbox.read_message(tmp_path, entries[0].key)
    assert opened.entry.subject == letter().subject
    assert opened.text.strip() == letter().text.strip()
    assert opened.html.strip() == letter().html.strip()
    assert ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click") in opened.headers


def test_a_repeated_delivery_is_there_once_even_after_it_was_read(tmp_path: Path) -> None:
    channel = OutboxChannel(tmp_path)
    list(channel.send([letter()]))
    key = outbox.key_of("d-42")
    (tmp_path / "new" / key).rename(tmp_path / "cur" / f"{key}:2,S")
    [(_, outcome)] = channel.send([letter()])
    assert outcome.state is OutcomeKind.SENT
    assert [entry.key for entry in outbox.list_messages(tmp_path)] == [key]
    assert outbox.read_message(tmp_path, key).entry.key == key


def test_nothing_half_written_is_listed(tmp_path: Path) -> None:
    OutboxChannel(tmp_path)
    (tmp_path / "tmp" / outbox.key_of("x")).write_bytes(b"To: half")
    assert outbox.list_messages(tmp_path) == []


def test_an_unusable_address_fails_for_good_and_the_rest_go_on(tmp_path: Path) -> None:
    outcomes = [outcome for _, outcome in OutboxChannel(tmp_path).send([letter(to="nobody"), letter()])]
    assert [outcome.state for outcome in outcomes] == [OutcomeKind.FAILED, OutcomeKind.SENT]
    assert outcomes[0].permanent_address_fault
    assert "nobody" not in outcomes[0].detail


def test_a_folder_that_cannot_be_written_means_trying_again(tmp_path: Path) -> None:
    channel = OutboxChannel(tmp_path)
    (tmp_path / "tmp").rmdir()
    [(_, outcome)] = channel.send([letter()])
    assert outcome.state is OutcomeKind.RETRY


@pytest.mark.parametrize("key", ["", "../../etc/passwd", "a", "0" * 32 + ".goniec", "*"])
def test_a_key_that_is_not_there_is_not_found(tmp_path: Path, key: str) -> None:
    list(OutboxChannel(tmp_path).send([letter()]))
    with pytest.raises(NotFound):
        outbox.read_message(tmp_path, key)


def test_an_outbox_that_was_never_written_is_empty(tmp_path: Path) -> None:
    assert outbox.list_messages(tmp_path / "nowhere") == []
