"""Letters go through SendGrid in few calls, tracked by nobody, and a doubtful one is never sent twice."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from services.channels.base import Letter, Outcome, OutcomeKind
from services.channels.sendgrid import SendGridChannel
from services.clock import FrozenClock
from services.domain import slots
from services.http import Client
from tests.doubles.sendgrid import SendGridDouble
from tests.doubles.web import Answer
from tests.services.channels.letters import letter

NOW = datetime(2026, 11, 24, 6, 30, tzinfo=UTC)
SALT = "0123456789abcdef"
TEXT = f"why: {slots.text_marker('why:0', SALT)}, leave: {slots.text_marker('unsubscribe_url', SALT)}"
HTML = f"<p>{slots.html_marker('why:0', SALT)}</p>"


@pytest.fixture
def double() -> Iterator[SendGridDouble]:
    with SendGridDouble() as running:
        yield running


@pytest.fixture
def http() -> Iterator[Client]:
    client = Client("test", guarded=False)
    yield client
    client.close()


@pytest.fixture
def channel(double: SendGridDouble, http: Client) -> SendGridChannel:
    return SendGridChannel("SG.test", http, host=double.host, timeout_s=1.0, clock=FrozenClock(NOW))


def reader(number: int, **changes: object) -> Letter:
    return letter(
        delivery_id=f"d-{number}",
        to=f"r{number}@mail.example",
        text=TEXT,
        html=HTML,
        salt=SALT,
        values={"why:0": f"<dotacje {number}>", "unsubscribe_url": f"https://g.example/u/{number}?a&b"},
        unsubscribe_url=f"https://g.example/u/{number}",
        **changes,
    )


def send(channel: SendGridChannel, letters: list[Letter]) -> dict[str, Outcome]:
    pairs = list(channel.send(letters))
    assert sorted(one.delivery_id for one, _ in pairs) == sorted(one.delivery_id for one in letters)
    return {one.delivery_id: outcome for one, outcome in pairs}


def test_readers_of_the_same_content_share_a_call_and_get_their_own_words(
    double: SendGridDouble, channel: SendGridChannel
) -> None:
    outcomes = send(channel, [reader(number) for number in range(3)])
    assert {outcome.state for outcome in outcomes.values()} == {OutcomeKind.SENT}
    assert len(double.calls) == 1
    second = double.sent[1]
    assert second.text == "why: <dotacje 1>, leave: https://g.example/u/1?a&b"
    assert second.html == "<p>&lt;dotacje 1&gt;</p>"
    assert second.headers["List-Unsubscribe"] == "<https://g.example/u/1>"
    assert second.headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert second.custom_args == {"delivery_id": "d-1"}
    assert double.refusals == []


def test_nothing_tracks_anybody(double: SendGridDouble, channel: SendGridChannel) -> None:
    send(channel, [reader(1)])
    tracking = double.calls[0]["tracking_settings"]
    assert {name: setting["enable"] for name, setting in tracking.items()} == {
        "click_tracking": False,
        "open_tracking": False,
        "subscription_tracking": False,
        "ganalytics": False,
    }
    assert "categories" not in double.calls[0]


def test_a_letter_alone_needs_no_substitutions(double: SendGridDouble, channel: SendGridChannel) -> None:
    send(channel, [reader(7)])
    assert "substitutions" not in double.calls[0]["personalizations"][0]
    assert double.sent[0].html == "<p>&lt;dotacje 7&gt;</p>"


def test_a_call_has_a_thousand_readers_at_most(double: SendGridDouble, channel: SendGridChannel) -> None:
    outcomes = send(channel, [reader(number) for number in range(1_501)])
    assert {outcome.state for outcome in outcomes.values()} == {OutcomeKind.SENT}
    assert sorted(len(call["personalizations"]) for call in double.calls) == [501, 1_000]


def test_an_address_is_once_in_a_call(double: SendGridDouble, channel: SendGridChannel) -> None:
    twice = [reader(1), letter(delivery_id="d-2", to="R1@mail.example", text=TEXT, html=HTML, salt=SALT,
                               values=reader(1).values)]  # fmt: skip
    outcomes = send(channel, twice)
    assert {outcome.state for outcome in outcomes.values()} == {OutcomeKind.SENT}
    assert len(double.calls) == 2


def test_different_contents_are_different_calls(double: SendGridDouble, channel: SendGridChannel) -> None:
    send(channel, [reader(1), reader(2, subject="Inny")])
    assert sorted(call["subject"] for call in double.calls) == sorted([letter().subject, "Inny"])


def test_words_too_long_for_a_substitution_go_in_a_call_of_their_own(
    double: SendGridDouble, channel: SendGridChannel
) -> None:
    values = {"why:0": "x" * 9_000, "unsubscribe_url": "https://g.example"}
    long = letter(delivery_id="d-9", to="r9@mail.example", text=TEXT, html=HTML, salt=SALT, values=values)
    outcomes = send(channel, [reader(1), reader(2), long])
    assert {outcome.state for outcome in outcomes.values()} == {OutcomeKind.SENT}
    assert sorted(len(call["personalizations"]) for call in double.calls) == [1, 2]


def test_the_sandbox_checks_and_delivers_nothing(double: SendGridDouble, http: Client) -> None:
    sandboxed = SendGridChannel("SG.test", http, host=double.host, sandbox=True)
    assert send(sandboxed, [reader(1)])["d-1"].status == 200
    assert double.sent == []


def test_a_refused_address_fails_alone(double: SendGridDouble, channel: SendGridChannel) -> None:
    double.refused_addresses = {"r1@mail.example"}
    outcomes = send(channel, [reader(number) for number in range(3)])
    assert [outcomes[f"d-{number}"].state for number in range(3)] == [
        OutcomeKind.SENT,
        OutcomeKind.FAILED,
        OutcomeKind.SENT,
    ]
    assert outcomes["d-1"].permanent_address_fault
    assert [one.to for one in double.sent] == ["r0@mail.example", "r2@mail.example"]


@pytest.mark.parametrize(
    ("headers", "wait_s"),
    [
        ((("Retry-After", "17"),), 17.0),
        ((("X-RateLimit-Reset", str(int(NOW.timestamp()) + 40)),), 40.0),
        ((("X-RateLimit-Reset", "0"),), 1.0),
        ((), 60.0),
    ],
)
def test_too_many_requests_are_obeyed(
    double: SendGridDouble, channel: SendGridChannel, headers: tuple[tuple[str, str], ...], wait_s: float
) -> None:
    double.trouble(Answer(status=429, headers=headers))
    outcome = send(channel, [reader(1)])["d-1"]
    assert (outcome.state, outcome.retry_after_s) == (OutcomeKind.RETRY, wait_s)


def test_after_too_many_requests_no_more_are_made(double: SendGridDouble, channel: SendGridChannel) -> None:
    double.trouble(*[Answer(status=429)] * 8)
    outcomes = send(channel, [reader(number, subject=f"s{number}") for number in range(30)])
    assert {outcome.state for outcome in outcomes.values()} == {OutcomeKind.RETRY}
    assert double.calls == []


@pytest.mark.parametrize(
    ("status", "state"),
    [
        (500, OutcomeKind.RETRY),
        (503, OutcomeKind.RETRY),
        (400, OutcomeKind.FAILED),
        (413, OutcomeKind.FAILED),
    ],
)
def test_an_error_is_tried_again_when_it_is_theirs(
    double: SendGridDouble, channel: SendGridChannel, status: int, state: OutcomeKind
) -> None:
    double.trouble(Answer(status=status))
    outcome = send(channel, [reader(1)])["d-1"]
    assert (outcome.state, outcome.status, outcome.permanent_address_fault) == (state, status, False)


def test_a_wrong_key_costs_no_letter(double: SendGridDouble, http: Client) -> None:
    outcome = send(SendGridChannel("SG.wrong", http, host=double.host), [reader(1)])["d-1"]
    assert (outcome.state, outcome.status) == (OutcomeKind.RETRY, 401)
    assert "SG.wrong" not in outcome.detail


@pytest.mark.parametrize("silence", [Answer(hang=True), Answer(drop="silent")])
def test_a_call_that_left_and_was_not_answered_is_uncertain(
    double: SendGridDouble, channel: SendGridChannel, silence: Answer
) -> None:
    double.trouble(silence)
    assert send(channel, [reader(1)])["d-1"].state is OutcomeKind.UNCERTAIN
    assert double.sent == []


def test_a_call_that_never_left_is_tried_again(http: Client) -> None:
    with SendGridDouble() as gone:
        host = gone.host
    outcome = send(SendGridChannel("SG.test", http, host=host), [reader(1)])["d-1"]
    assert outcome.state is OutcomeKind.RETRY


def test_an_unusable_letter_fails_without_a_call(double: SendGridDouble, channel: SendGridChannel) -> None:
    broken = letter(delivery_id="d-2", text=TEXT, salt=SALT, values={})
    outcomes = send(channel, [letter(delivery_id="d-1", to="nobody"), broken])
    assert [outcomes[name].state for name in ("d-1", "d-2")] == [OutcomeKind.FAILED] * 2
    assert [outcomes[name].permanent_address_fault for name in ("d-1", "d-2")] == [True, False]
    assert double.calls == []
