"""Receivers that follow the standard accept our signatures, and we accept theirs and no others."""

import base64
from datetime import UTC, datetime, timedelta

import pytest
import standardwebhooks
import svix
from hypothesis import given
from hypothesis import strategies as st

from services.domain import signing
from services.errors import BadInput

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
PRIVATE = "whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg=="
PUBLIC = "whpk_" + base64.b64encode(base64.b64decode(PRIVATE.removeprefix("whsk_"))[32:]).decode()
MESSAGE_ID = "msg_p5jXN8AQM9LWM0D4loKWxJek"
AT = datetime.fromtimestamp(1614265330, UTC)
BODY = b'{"test": 2432232314}'


def verify(
    *secrets: str,
    signatures: str,
    timestamp: str = "1614265330",
    body: bytes = BODY,
    now: datetime = AT,
    message_id: str = MESSAGE_ID,
) -> None:
    signing.verify(
        secrets, message_id=message_id, timestamp=timestamp, signatures=signatures, body=body, now=now
    )


def test_the_standards_own_vector_comes_out() -> None:
    assert signing.sign([SECRET], MESSAGE_ID, AT, BODY) == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_the_standards_own_vector_for_ed25519_comes_out() -> None:
    assert signing.sign([PRIVATE], MESSAGE_ID, AT, BODY) == (
        "v1a,hnO3f9T8Ytu9HwrXslvumlUpqtNVqkhqw/enGzPCXe5BdqzCInXqYXFymVJaA7AZdpXwVLPo3mNl8EM+m7TBAg=="
    )


def test_each_secret_adds_its_signature_and_either_receiver_accepts() -> None:
    other = signing.new_secret()
    signatures = signing.sign([other, SECRET, PRIVATE], MESSAGE_ID, AT, BODY)
    assert [entry.partition(",")[0] for entry in signatures.split(" ")] == ["v1", "v1", "v1a"]
    verify(SECRET, signatures=signatures)
    verify(other, signatures=signatures)
    verify(PUBLIC, signatures=signatures)


@given(st.binary(max_size=200))
def test_the_libraries_of_receivers_accept_our_signature(body: bytes) -> None:
    at = datetime.now(UTC)
    secret = signing.new_secret()
    text = b'{"data":"' + base64.b64encode(body) + b'"}'
    stamp = str(int(at.timestamp()))
    signatures = signing.sign([secret, signing.new_secret()], "msg_1", at, text)
    headers = {"webhook-id": "msg_1", "webhook-timestamp": stamp, "webhook-signature": signatures}
    standardwebhooks.Webhook(secret).verify(text, headers)
    svix.Webhook(secret).verify(text, headers)


def test_we_accept_the_signature_of_another_library() -> None:
    verify(SECRET, signatures=standardwebhooks.Webhook(SECRET).sign(MESSAGE_ID, AT, BODY.decode()))


def test_a_new_secret_holds_32_random_bytes() -> None:
    secret = signing.new_secret(lambda size: bytes(range(size)))
    assert base64.b64decode(secret.removeprefix("whsec_")) == bytes(range(32))
    assert signing.new_secret() != signing.new_secret()


@pytest.mark.parametrize(
    "changed",
    [
        {"body": b'{"test": 2432232315}'},
        {"message_id": "msg_other"},
        {"timestamp": "1614265331"},
        {"signatures": ""},
        {"signatures": "v1,"},
        {"signatures": "v1,not base64"},
        {"signatures": "v2,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="},
        {"signatures": "v1a,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="},
        {"signatures": "g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="},
    ],
)
def test_anything_changed_makes_the_signature_unfit(changed: dict[str, object]) -> None:
    fields = {"signatures": signing.sign([SECRET], MESSAGE_ID, AT, BODY), **changed}
    with pytest.raises(BadInput):
        verify(SECRET, **fields)  # type: ignore[arg-type]


@pytest.mark.parametrize("minutes", [-5.1, 5.1])
def test_a_timestamp_more_than_five_minutes_off_is_refused(minutes: float) -> None:
    with pytest.raises(BadInput, match="five minutes"):
        verify(
            SECRET,
            signatures=signing.sign([SECRET], MESSAGE_ID, AT, BODY),
            now=AT + timedelta(minutes=minutes),
        )


@pytest.mark.parametrize("timestamp", ["", "-1", "1614265330.5", "²", "9" * 40])
def test_a_timestamp_that_is_no_number_is_refused(timestamp: str) -> None:
    with pytest.raises(BadInput, match="timestamp"):
        verify(SECRET, signatures="v1,x", timestamp=timestamp)


@pytest.mark.parametrize("secret", ["whsec_", "whsec_c2hvcnQ=", "whsec_?!?!?!?!", "whsec_" + "QUFB" * 30])
def test_a_secret_that_is_none_is_refused_without_showing_it(secret: str) -> None:
    with pytest.raises(BadInput) as caught:
        signing.sign([secret], MESSAGE_ID, AT, BODY)
    assert len(secret) < 7 or secret.removeprefix("whsec_") not in str(caught.value)


def test_no_secret_at_all_is_refused() -> None:
    with pytest.raises(BadInput):
        signing.sign([], MESSAGE_ID, AT, BODY)
