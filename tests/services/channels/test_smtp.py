"""Letters go out over kept connections; whatever the server does, each comes back once, with the truth."""

import socket
import threading
from collections import Counter
from collections.abc import Iterator

import pytest

from services.channels import mime
from services.channels.base import Letter, Outcome, OutcomeKind
from services.channels.smtp import SmtpChannel
from services.channels.smtp_connection import Server, Timeouts
from tests.doubles.smtp import (
    DropAfterDot,
    DropAtRecipient,
    DropBeforeDot,
    Hang,
    Refuse,
    RefuseMessage,
    Script,
    SmtpSink,
)
from tests.services.channels.letters import letter

QUICK = Timeouts(connect_s=2, reply_s=0.3, message_s=0.3)
PLAIN = ("8BITMIME",)
PIPELINED = ("PIPELINING", "8BITMIME")


@pytest.fixture(params=[PIPELINED, PLAIN], ids=["pipelined", "plain"])
def sink(request: pytest.FixtureRequest) -> Iterator[SmtpSink]:
    with SmtpSink(Script(extensions=request.param)) as running:
        yield running


def channel(sink: SmtpSink, lanes: int = 1, timeouts: Timeouts = QUICK) -> SmtpChannel:
    return SmtpChannel(Server.read(sink.url, timeouts=timeouts), lanes=lanes)


def letters(count: int) -> list[Letter]:
    return [letter(delivery_id=f"d-{n}", to=f"r{n}@mail.example") for n in range(count)]


def send(to: SmtpChannel, batch: list[Letter]) -> dict[str, Outcome]:
    """Outcomes by address; every letter must come back exactly once."""
    pairs = list(to.send(batch))
    to.close()
    assert Counter(one.delivery_id for one, _ in pairs) == Counter(one.delivery_id for one in batch)
    return {one.to: outcome for one, outcome in pairs}


def states(outcomes: dict[str, Outcome]) -> list[OutcomeKind]:
    return [outcomes[f"r{n}@mail.example"].state for n in range(len(outcomes))]


SENT, RETRY, FAILED = OutcomeKind.SENT, OutcomeKind.RETRY, OutcomeKind.FAILED


def test_a_letter_arrives_as_it_was_written(sink: SmtpSink) -> None:
    dotted = letter(text=".\n..\n.begin\nend.\n", html="<p>.</p>\n.")
    [outcome] = send(channel(sink), [dotted]).values()
    assert outcome.state is SENT
    assert outcome.took_ms > 0
    assert outcome.address == "127.0.0.1"
    [received] = sink.received
    assert received.message == mime.write(dotted)
    assert (received.sender, received.recipient) == (dotted.envelope_from, dotted.to)


def test_a_batch_uses_one_connection_for_many_letters(sink: SmtpSink) -> None:
    assert set(states(send(channel(sink), letters(50)))) == {SENT}
    assert len(sink.received) == 50
    assert sink.connections == 1


def test_a_connection_is_kept_for_the_next_batch(sink: SmtpSink) -> None:
    kept = channel(sink)
    assert [outcome.state for _, outcome in kept.send(letters(3))] == [SENT] * 3
    assert [outcome.state for _, outcome in kept.send(letters(3))] == [SENT] * 3
    assert sink.connections == 1
    kept.close()


def test_lanes_share_a_batch(sink: SmtpSink) -> None:
    assert set(states(send(channel(sink, lanes=4), letters(200)))) == {SENT}
    assert sink.connections == 4
    assert len({one.recipient for one in sink.received}) == len(sink.received) == 200


def test_an_unknown_reader_fails_for_good_and_the_others_get_theirs(sink: SmtpSink) -> None:
    sink.on_recipient("r1@mail.example", Refuse(550, "5.1.1 user unknown"))
    outcomes = send(channel(sink), letters(3))
    assert states(outcomes) == [SENT, FAILED, SENT]
    refused = outcomes["r1@mail.example"]
    assert (refused.status, refused.permanent_address_fault) == (550, True)
    assert "mail.example" not in refused.detail


@pytest.mark.parametrize(
    ("code", "text", "state", "at_fault"),
    [
        (550, "5.1.1 no such user", FAILED, True),
        (550, "5.1.10 null MX", FAILED, True),
        (550, "No such user here", FAILED, True),
        (553, "5.1.3 bad address", FAILED, True),
        (550, "5.2.1 mailbox disabled", FAILED, True),
        (550, "5.7.1 blocked by policy", FAILED, False),
        (550, "Spam is not welcome", FAILED, False),
        (553, "5.1.8 bad sender address", FAILED, False),
        (552, "5.2.2 mailbox full", FAILED, False),
        (554, "5.7.1 relay access denied", FAILED, False),
        (450, "4.2.1 try later", RETRY, False),
        (452, "4.5.3 too many recipients", RETRY, False),
    ],
)
def test_only_an_answer_that_blames_the_address_may_suppress_it(
    code: int, text: str, state: OutcomeKind, at_fault: bool
) -> None:
    with SmtpSink() as sink:
        sink.on_recipient("r0@mail.example", Refuse(code, text))
        outcome = send(channel(sink), letters(2))["r0@mail.example"]
        assert (outcome.state, outcome.status, outcome.permanent_address_fault) == (state, code, at_fault)
        assert len(sink.received) == 1


@pytest.mark.parametrize(("code", "state"), [(554, FAILED), (451, RETRY), (421, RETRY)])
def test_a_refused_message_harms_no_other(sink: SmtpSink, code: int, state: OutcomeKind) -> None:
    sink.on_recipient("r1@mail.example", RefuseMessage(code, "5.6.0 content"))
    outcomes = send(channel(sink), letters(4))
    assert states(outcomes) == [SENT, state, SENT, SENT]
    assert not outcomes["r1@mail.example"].permanent_address_fault
    assert len(sink.received) == 3


def test_a_server_that_ends_each_connection_after_some_letters_gets_all_of_them(sink: SmtpSink) -> None:
    sink.script.max_messages_per_connection = 3
    assert set(states(send(channel(sink), letters(10)))) == {SENT}
    assert len(sink.received) == 10
    assert sink.connections == 4


@pytest.mark.parametrize("behaviour", [DropAtRecipient(), DropBeforeDot(), Refuse(421, "4.3.2 going down")])
def test_a_connection_lost_before_the_message_is_survived(
    sink: SmtpSink, behaviour: DropAtRecipient | DropBeforeDot | Refuse
) -> None:
    sink.on_recipient("r1@mail.example", behaviour)
    assert states(send(channel(sink), letters(4))) == [SENT, RETRY, SENT, SENT]
    assert [one.recipient for one in sink.received].count("r1@mail.example") == 0


def test_a_kept_connection_that_broke_costs_a_letter_nothing(sink: SmtpSink) -> None:
    sink.once_for_recipient("r1@mail.example", DropAtRecipient())
    assert states(send(channel(sink), letters(3))) == [SENT, SENT, SENT]
    assert len(sink.received) == 3


def test_a_message_without_an_answer_is_tried_again_and_said_to_be_unsure(sink: SmtpSink) -> None:
    sink.on_recipient("r1@mail.example", DropAfterDot())
    outcomes = send(channel(sink), letters(4))
    assert states(outcomes) == [SENT, RETRY, SENT, SENT]
    assert "same Message-ID" in outcomes["r1@mail.example"].detail
    assert len(sink.to("r1@mail.example")) == 1


def test_a_server_that_hangs_costs_its_time_and_no_other_letter(sink: SmtpSink) -> None:
    sink.on_recipient("r1@mail.example", Hang(5))
    outcomes = send(channel(sink), letters(3))
    assert states(outcomes) == [SENT, RETRY, SENT]
    assert "in time" in outcomes["r1@mail.example"].detail


def test_connections_closed_between_batches_are_opened_again(sink: SmtpSink) -> None:
    kept = channel(sink)
    list(kept.send(letters(2)))
    sink.drop_connections()
    assert [outcome.state for _, outcome in kept.send(letters(2))] == [SENT, SENT]
    kept.close()


def test_without_a_server_everything_is_to_be_tried_again() -> None:
    with SmtpSink() as sink:
        gone = channel(sink, lanes=4)
    outcomes = send(gone, letters(30))
    assert set(states(outcomes)) == {RETRY}
    assert "cannot connect" in outcomes["r7@mail.example"].detail


def test_a_server_that_greets_with_421_is_not_asked_for_every_letter() -> None:
    with SmtpSink(Script(greeting="421 4.3.2 too busy")) as sink:
        assert set(states(send(channel(sink, lanes=2), letters(30)))) == {RETRY}
        assert sink.connections <= 2


def test_a_server_that_drops_everything_is_left_alone_soon(sink: SmtpSink) -> None:
    for one in letters(30):
        sink.on_recipient(one.to, DropAtRecipient())
    assert set(states(send(channel(sink), letters(30)))) == {RETRY}
    assert sink.connections <= 6


def test_an_unusable_address_fails_without_asking_the_server(sink: SmtpSink) -> None:
    outcomes = send(
        channel(sink), [letter(to="x@y.example>\r\nRCPT TO:<all@z.example"), letter(to="ok@a.example")]
    )
    assert sorted(outcome.state for outcome in outcomes.values()) == [FAILED, SENT]
    assert [one.recipient for one in sink.received] == ["ok@a.example"]


def test_an_address_outside_ascii_needs_a_server_that_takes_it() -> None:
    with SmtpSink() as sink:
        assert states(send(channel(sink), [letter(to="r0@mail.example")])) == [SENT]
        [outcome] = send(channel(sink), [letter(to="żółw@mail.example")]).values()
        assert outcome.state is SENT
        sink.script.extensions = ()
        [outcome] = send(channel(sink), [letter(to="żółw@mail.example")]).values()
        assert outcome.state is FAILED
        assert not outcome.permanent_address_fault


def test_a_message_too_large_for_the_server_is_not_sent() -> None:
    with SmtpSink(Script(extensions=("SIZE 2000", "PIPELINING"))) as sink:
        batch = [*letters(2), letter(delivery_id="big", to="r2@mail.example", text="x" * 4000)]
        assert states(send(channel(sink), batch)) == [SENT, SENT, FAILED]


def test_a_consumer_that_stops_listening_leaves_no_thread(sink: SmtpSink) -> None:
    abandoned = channel(sink, lanes=3)
    outcomes = abandoned.send(letters(500))
    next(outcomes)
    outcomes.close()  # type: ignore[attr-defined]
    assert [thread for thread in threading.enumerate() if thread.name.startswith("smtp-")] == []
    assert len(sink.received) < 500
    abandoned.close()


def test_a_missing_slot_fails_its_letter_alone(sink: SmtpSink) -> None:
    salt = "0" * 16
    unfilled = letter(delivery_id="x", to="r0@mail.example", text=f"[[t.why:0.{salt}]]", salt=salt)
    outcomes = send(channel(sink), [unfilled, letter(to="r1@mail.example")])
    assert states(outcomes) == [FAILED, SENT]
    assert not outcomes["r0@mail.example"].permanent_address_fault


OLD = {"no extensions": Script(extensions=()), "HELO alone": Script(extensions=(), speaks_ehlo=False)}


@pytest.mark.parametrize("kind", OLD)
def test_an_old_server_takes_polish_letters_one_command_after_the_other(kind: str) -> None:
    with SmtpSink(OLD[kind]) as old:
        assert set(states(send(channel(old, lanes=2), letters(12)))) == {SENT}
        assert len(old.received) == 12
        assert all(one.message.isascii() for one in old.received)
        (polish,) = old.to("r3@mail.example")
        assert polish.message == mime.write(letter(delivery_id="d-3", to="r3@mail.example"))


def test_an_address_outside_ascii_fails_where_the_server_takes_none_and_the_others_get_theirs() -> None:
    odd = letter(delivery_id="odd", to="żółw@mail.example")
    with SmtpSink(Script(extensions=("PIPELINING",))) as old:
        outcomes = send(channel(old), [*letters(1), odd, letter(delivery_id="d-9", to="r1@mail.example")])
        assert outcomes.pop("żółw@mail.example").state is FAILED
        assert states(outcomes) == [SENT, SENT]
    with SmtpSink(Script(extensions=("PIPELINING", "8BITMIME", "SMTPUTF8"))) as new:
        assert send(channel(new), [odd])["żółw@mail.example"].state is SENT


def test_the_double_refuses_what_it_does_not_offer() -> None:
    with SmtpSink(Script(extensions=())) as old:
        assert _answers(old, b"MAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\n")[-1] == b"503"
        raw = b"MAIL FROM:<a@b.example>\r\n", b"RCPT TO:<c@d.example>\r\n", b"DATA\r\n", b"\xc5\xbc\r\n.\r\n"
        assert _answers(old, *raw)[-1] == b"554"
        assert old.received == []


def _answers(server: SmtpSink, *said: bytes) -> list[bytes]:
    """The codes of the greeting and of what was answered to each."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=2) as line:
        codes = [line.recv(4_096)[:3]]
        for one in said:
            line.sendall(one)
            codes.append(line.recv(4_096).splitlines()[-1][:3])
    return codes
