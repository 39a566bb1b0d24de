"""Messages are what the standards say, to the byte, and nothing from outside can start a header."""

import email
import email.policy
import email.utils
import re
from dataclasses import replace
from email.header import decode_header, make_header
from email.message import EmailMessage
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.channels import mime
from services.channels.base import Letter
from services.domain import slots
from tests.services.channels.letters import letter

GOLDEN = Path(__file__).parent / "golden"
MULTIPART = {"MIME-Version", "Content-Type"}


def parsed(message: bytes) -> EmailMessage:
    return email.message_from_bytes(message, policy=email.policy.default)


def body(message: bytes, kind: str) -> str:
    part = parsed(message).get_body((kind,))
    assert isinstance(part, EmailMessage)
    return str(part.get_content()).replace("\r\n", "\n").rstrip("\n") + "\n"


@pytest.mark.parametrize(
    ("name", "sample"),
    [
        ("revision", letter()),
        (
            "confirmation",
            letter(list_id="", unsubscribe_url="", archive_url="", in_reply_to="", language="en"),
        ),
        (
            "plain",
            letter(subject="Open lecture", from_="g@goniec.example", text="x " * 60, html="<p>ż</p>" * 9),
        ),
    ],
)
def test_a_message_is_what_it_was_to_the_byte(name: str, sample: Letter) -> None:
    assert mime.write(sample) == (GOLDEN / f"{name}.eml").read_bytes().replace(b"\r\n", b"\n").replace(
        b"\n", b"\r\n"
    )


def test_an_ordinary_message_reads_back_as_it_was_meant() -> None:
    message = parsed(mime.write(letter()))
    assert message["from"].addresses[0].display_name == "Goniec – Bydgoszcz i Toruń"
    assert message["from"].addresses[0].addr_spec == "goniec@goniec.example"
    assert message["to"] == "reader@mail.example"
    assert message["subject"] == letter().subject
    assert message["date"].datetime == letter().date
    assert message["message-id"] == "<d-42@goniec.example>"
    assert message["in-reply-to"] == message["references"] == "<d-7@goniec.example>"
    assert message["list-unsubscribe"] == "<https://goniec.example/u/eyJhbGciOi>"
    assert message["list-unsubscribe-post"] == "List-Unsubscribe=One-Click"
    assert message["auto-submitted"] == "auto-generated"
    assert message["content-language"] == "pl"
    assert message.defects == []
    assert [part.get_content_type() for part in message.iter_parts()] == ["text/plain", "text/html"]
    assert body(mime.write(letter()), "plain") == letter().text
    assert body(mime.write(letter()), "html") == letter().html


def test_a_repeated_message_has_the_same_identifier_and_the_same_bytes() -> None:
    assert mime.write(letter()) == mime.write(letter())
    assert mime.message_id(letter(delivery_id="a b\r\n>")) == "<a-b-@goniec.example>"


def test_a_mail_without_a_list_has_no_list_headers() -> None:
    message = parsed(mime.write(letter(list_id="", unsubscribe_url="", archive_url="")))
    assert [name for name in message if name.lower().startswith("list-")] == []


def test_slots_are_filled_with_the_readers_values() -> None:
    salt = slots.new_salt()
    filled = mime.write(
        letter(
            text=f"why: {slots.text_marker('why:0', salt)}",
            html=f"<p>{slots.html_marker('why:0', salt)}</p>",
            salt=salt,
            values={"why:0": "<dotacje>"},
        )
    )
    assert body(filled, "plain") == "why: <dotacje>\n"
    assert body(filled, "html") == "<p>&lt;dotacje&gt;</p>\n"


@pytest.mark.parametrize(
    "to", ["", "a", "a@", "@b.example", "a b@c.example", "a@b.example\r\nBcc: x@y.example"]
)
def test_what_is_not_an_address_is_refused(to: str) -> None:
    with pytest.raises(mime.AddressUnusable):
        mime.write(letter(to=to))


@pytest.mark.parametrize(
    "to", ["<a@b.example>", "a@b.example, c@d.example", '"a"@b.example', "a@[x y]", "a@b..\0"]
)
def test_one_recipient_cannot_become_two(to: str) -> None:
    with pytest.raises(mime.AddressUnusable):
        mime.write(letter(to=to))


def test_a_domain_outside_ascii_goes_as_idna() -> None:
    assert b"\r\nTo: info@xn--toru-e2a.example\r\n" in mime.write(letter(to="info@toruń.example"))


hostile = st.text() | st.lists(
    st.sampled_from(
        ["\r\n", "\n", "\r", "Bcc: x@y.example", " ", "=?utf-8?Q?x?=", "ż", "\x00", "a" * 90, "<", ">"]
    )
).map("".join)


@given(subject=hostile, name=hostile, url=hostile, identifier=hostile, language=hostile)
def test_nothing_from_outside_starts_a_header(
    subject: str, name: str, url: str, identifier: str, language: str
) -> None:
    sample = replace(
        letter(),
        subject=subject,
        from_=f"{name.replace('<', '').replace('>', '')} <goniec@goniec.example>",
        unsubscribe_url="https://a.example/" + url,
        archive_url="https://a.example/" + url,
        message_id=identifier,
        in_reply_to=identifier + "@x",
        list_id="a" + identifier,
        feedback_id="a" + identifier,
        language=language,
    )
    head = mime.write(sample).partition(b"\r\n\r\n")[0]
    expected = re.findall(rb"(?m)^([A-Za-z-]+):", mime.write(letter()).partition(b"\r\n\r\n")[0])
    assert re.findall(rb"(?m)^([^ \t\r\n][^:\r\n]*):", head) == expected
    assert (
        all(len(line) <= 998 for line in head.split(b"\r\n") if b"unsub" not in line.lower()) or len(url) > 60
    )
    assert b"\r" not in head.replace(b"\r\n", b"")
    assert b"\n" not in head.replace(b"\r\n", b"")
    assert head.isascii()


@given(hostile)
def test_every_subject_reads_back_as_one_line_of_itself(subject: str) -> None:
    message = parsed(mime.write(letter(subject=subject)))
    assert str(message["subject"]) == mime.one_line(subject)


@given(hostile)
def test_every_name_reads_back_as_one_line_of_itself(name: str) -> None:
    sender = '"' + re.sub(r'[\\"<>]', "", name) + '" <goniec@goniec.example>'
    raw = email.message_from_bytes(mime.write(letter(from_=sender)))["from"]
    phrase, bare = email.utils.parseaddr(raw.replace("\r\n", ""))
    assert bare == "goniec@goniec.example"
    assert str(make_header(decode_header(phrase))) == mime.mailbox(sender)[0]


@given(
    st.text(
        st.characters(exclude_categories=["Cs"], exclude_characters="\r\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029")
    )
)
def test_every_body_reads_back_as_it_was(text: str) -> None:
    message = mime.write(letter(text=text, html=text))
    expected = text.rstrip("\n") + "\n"
    assert body(message, "plain") == expected
    assert body(message, "html") == expected
    assert message.isascii()
    assert b"\n" not in message.replace(b"\r\n", b"")
    lines = message.partition(b"\r\n\r\n")[2].split(b"\r\n")
    assert max(map(len, lines)) <= 78
    assert not any(line.endswith((b" ", b"\t")) for line in lines)


WORDS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r"), max_size=90)
SALT = "0123456789abcdef"


@given(st.lists(st.tuples(WORDS, WORDS), max_size=5), WORDS)
def test_slots_cut_in_between_encoded_bytes_read_as_if_filled_before(
    parts: list[tuple[str, str]], last: str
) -> None:
    values = {f"why:{place}": value for place, (_, value) in enumerate(parts)}
    source = "".join(
        piece + slots.html_marker(f"why:{place}", SALT) for place, (piece, _) in enumerate(parts)
    )
    sample = letter(text="plain", html=source + last, salt=SALT, values=values)
    filled = letter(text="plain", html=slots.fill(source + last, SALT, values), salt="")

    cut, whole = mime.write(sample), mime.write(filled)

    assert body(cut, "html") == body(whole, "html")
    assert max(map(len, cut.split(b"\r\n"))) <= 998
    encoded = cut.partition(b"text/html")[2].partition(b"\r\n\r\n")[2]
    assert max(map(len, encoded.split(b"\r\n"))) <= 76
