"""Writes a letter as the bytes of an Internet message (RFC 5322, 2045, 2047).

By hand, because it happens thousands of times a second and the standard library is ten times slower.

Everything in a letter may come from outside: no value can ever start a header of its own.
"""

import re
from base64 import b64encode, encodebytes
from binascii import b2a_qp
from email.utils import format_datetime
from functools import lru_cache
from hashlib import blake2b

from services.channels.base import Letter, Outcome, OutcomeKind
from services.domain import slots
from services.errors import BadInput, SettingsError

_LINE = 76
_CONTROL = re.compile("[\x00-\x20\x7f-\xa0\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufeff]+")
_ATOM = re.compile(r"[^\s<>()\[\],;:\\\"@\x00-\x20\x7f-\xa0]{1,64}")
_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,251}[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\]")
_PLAIN = re.compile(r"[\x20-\x7e]*")
_PHRASE = re.compile(r"[A-Za-z0-9 !#$%&'*+/=?^_`{|}~-]*")


class AddressUnusable(BadInput):
    """An address that no message can be sent to."""

    code = "address-unusable"


def write(letter: Letter) -> bytes:
    """The whole message, CRLF line ends, seven-bit bodies. Raises AddressUnusable, SlotError."""
    boundary = f"=_{blake2b(letter.delivery_id.encode(), digest_size=12).hexdigest()}"
    head = [*_headers(letter), f'Content-Type: multipart/alternative; boundary="{boundary}"', "", ""]
    mark = b"--" + boundary.encode()
    return b"".join(
        (
            "\r\n".join(head).encode(),
            mark,
            _part("text/plain", letter.text, letter),
            mark,
            _part("text/html", letter.html, letter),
            mark,
            b"--\r\n",
        )
    )


def write_or_refuse(letter: Letter) -> bytes | Outcome:
    """The whole message, or why this letter can never be sent."""
    try:
        return write(letter)
    except AddressUnusable as exc:
        return Outcome(OutcomeKind.FAILED, exc.message, permanent_address_fault=True)
    except slots.SlotError as exc:
        return Outcome(OutcomeKind.FAILED, exc.message)


def bodies(letter: Letter) -> tuple[str, str]:
    """The text and the HTML as this reader gets them."""
    return (
        slots.fill(letter.text, letter.salt, letter.values),
        slots.fill(letter.html, letter.salt, letter.values),
    )


def message_id(letter: Letter) -> str:
    """The same for every try of a delivery, so that a repeated message can be recognised."""
    if letter.message_id:
        return _identifier(letter.message_id)
    return _identifier(f"{letter.delivery_id}@{mailbox(letter.from_)[1].rpartition('@')[2]}")


def extra_headers(letter: Letter) -> list[tuple[str, str]]:
    """The headers beside From, To, Subject, Date and MIME's own; their values are safe ASCII."""
    headers = [("Message-ID", message_id(letter))]
    if letter.in_reply_to:
        earlier = _identifier(letter.in_reply_to)
        headers += [("In-Reply-To", earlier), ("References", earlier)]
    if letter.list_id:
        headers.append(("List-Id", f"<{re.sub(r'[^A-Za-z0-9._-]+', '-', letter.list_id)}>"))
    if letter.unsubscribe_url:
        headers.append(("List-Unsubscribe", f"<{_url(letter.unsubscribe_url)}>"))
        headers.append(("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"))
    if letter.archive_url:
        headers.append(("List-Archive", f"<{_url(letter.archive_url)}>"))
    headers.append(("Auto-Submitted", "auto-generated"))
    headers.append(("X-Auto-Response-Suppress", "OOF, AutoReply"))
    if letter.feedback_id:
        headers.append(("Feedback-ID", re.sub(r"[^A-Za-z0-9._:-]+", "-", letter.feedback_id)))
    headers.append(("Content-Language", re.sub(r"[^A-Za-z0-9-]+", "", letter.language)))
    return headers


def one_line(text: str) -> str:
    """Text fit for a header: control characters and runs of white space become single spaces."""
    return _CONTROL.sub(" ", text).strip()


def address(text: str) -> str:
    """A bare address, its domain in ASCII (IDNA). Raises AddressUnusable."""
    local, _, host = text.strip().rpartition("@")
    try:
        host = host if host.isascii() else host.encode("idna").decode("ascii")
    except UnicodeError:
        host = ""
    if not _ATOM.fullmatch(local) or not _HOST.fullmatch(host) or _CONTROL.search(local):
        raise AddressUnusable("This is not an address that mail can be sent to.")
    return f"{local}@{host}"


@lru_cache(maxsize=256)
def mailbox(text: str) -> tuple[str, str]:
    """The name (may be empty) and the address of a sender, `Name <address>` or a bare address."""
    named = re.fullmatch(r"\s*(.*?)\s*<([^<>]*)>\s*", text, re.DOTALL)
    name, bare = (named.group(1), named.group(2)) if named else ("", text)
    if len(name) > 1 and name[0] == name[-1] == '"':
        name = re.sub(r"\\(.)", r"\1", name[1:-1])
    try:
        return one_line(name), address(bare)
    except AddressUnusable as exc:
        raise SettingsError("GONIEC_MAIL_FROM must be an address, alone or as: Name <address>.") from exc


def _headers(letter: Letter) -> list[str]:
    return [
        _from(letter.from_),
        f"To: {address(letter.to)}",
        _unstructured("Subject", letter.subject),
        f"Date: {format_datetime(letter.date)}",
        *(f"{name}: {value}" for name, value in extra_headers(letter)),
        "MIME-Version: 1.0",
    ]


@lru_cache(maxsize=256)
def _from(text: str) -> str:
    name, bare = mailbox(text)
    if not name:
        return f"From: {bare}"
    if not _PLAIN.fullmatch(name) or "=?" in name or len(name) > _LINE - 8:
        phrase = _encoded_words(name)
    elif _PHRASE.fullmatch(name):
        phrase = name
    else:
        phrase = '"' + re.sub(r'([\\"])', r"\\\1", name) + '"'
    return f"From: {phrase}\r\n <{bare}>" if len(phrase) + len(bare) > 66 else f"From: {phrase} <{bare}>"


def _unstructured(name: str, value: str) -> str:
    """A header in lines of at most 76 characters where its words allow, else as encoded words (RFC 2047)."""
    value = one_line(value)
    if len(name) + len(value) + 2 <= _LINE and _PLAIN.fullmatch(value) and "=?" not in value:
        return f"{name}: {value}"
    if "=?" in value or not _PLAIN.fullmatch(value) or len(max(value.split(" "), key=len)) > 60:
        return f"{name}: {_encoded_words(value)}"
    return f"{name}: " + _folded(value.split(" "), room=_LINE - len(name) - 2)


def _folded(words: list[str], room: int) -> str:
    lines: list[list[str]] = [[]]
    for word in words:
        if room < len(word) + 1:
            lines.append([])
            room = _LINE - 1
        lines[-1].append(word)
        room -= len(word) + 1
    return "\r\n ".join(" ".join(line) for line in lines)


def _encoded_words(value: str) -> str:
    """Base64 words of whole characters, 39 bytes each, so that a header's name fits beside the first."""
    chunks: list[bytes] = [b""]
    for character in value:
        encoded = character.encode()
        if len(chunks[-1]) + len(encoded) > 39:
            chunks.append(b"")
        chunks[-1] += encoded
    return "\r\n ".join(f"=?utf-8?B?{b64encode(chunk).decode()}?=" for chunk in chunks)


def _part(kind: str, body: str, letter: Letter) -> bytes:
    """One body for this reader: what all share is encoded once, slots are cut in between its bytes."""
    coded, named = _encoded(kind, body, letter.salt)
    if coded is None:  # base64 has no places to cut
        return _base64_part(kind, slots.fill(body, letter.salt, letter.values))
    if not named:
        return coded[0]
    filled = [coded[0]]
    for (how, name), piece in zip(named, coded[1:], strict=True):
        value = slots.value(how, name, letter.values)
        filled.append(_quoted(_lines(value)) if value else b"")
        filled.append(piece)
    return b"".join(filled)


@lru_cache(maxsize=256)
def _encoded(kind: str, body: str, salt: str) -> tuple[tuple[bytes, ...] | None, tuple[tuple[str, str], ...]]:
    """The shared pieces as quoted-printable, each but the last ending where a slot may begin; None instead
    of them for a language that base64 says shorter."""
    pieces, named = slots.cut(body, salt)
    *front, last = (_lines(piece) for piece in pieces)
    last = last.rstrip(b"\r\n") + b"\r\n"
    length = sum(map(len, front)) + len(last)
    beyond_ascii = sum(len(piece) - len(piece.translate(None, _BEYOND_ASCII)) for piece in (*front, last))
    if beyond_ascii * 6 > length:
        return None, named
    coded = [*map(_quoted, front), b2a_qp(last, istext=True)]
    return (_part_head(kind, b"quoted-printable") + coded[0], *coded[1:]), named


def _quoted(data: bytes) -> bytes:
    """Quoted-printable up to a soft line break (RFC 2045, section 6.7), so that anything may follow.

    A letter added and taken off again keeps room for the break in a line of 76.
    """
    coded = b2a_qp(data + b"~", istext=True)[:-1]
    return coded if not coded or coded.endswith(b"\n") else coded + b"=\r\n"


def _base64_part(kind: str, body: str) -> bytes:
    data = _lines(body).rstrip(b"\r\n") + b"\r\n"
    return _part_head(kind, b"base64") + encodebytes(data).replace(b"\n", b"\r\n")


def _part_head(kind: str, encoding: bytes) -> bytes:
    return (
        b"\r\nContent-Type: " + kind.encode() + b"; charset=utf-8\r\nContent-Transfer-Encoding: " + encoding
    ) + b"\r\n\r\n"


def _lines(text: str) -> bytes:
    """UTF-8 with CRLF line ends."""
    unix = text.replace("\r\n", "\n").replace("\r", "\n")
    return unix.replace("\n", "\r\n").encode("utf-8", "replace")


_BEYOND_ASCII = bytes(range(128, 256))


def _identifier(text: str) -> str:
    """A message identifier in its angle brackets, of characters that need no quoting."""
    left, _, right = text.strip().strip("<>").rpartition("@")
    return f"<{re.sub(r'[^A-Za-z0-9._-]+', '-', left)}@{re.sub(r'[^A-Za-z0-9.-]+', '-', right)}>"


def _url(text: str) -> str:
    """An address fit for angle brackets: what is not ASCII or would end it is percent-encoded."""
    return re.sub(
        r"[^!#-;=?-Z\[\]_a-z~]", lambda found: "".join(f"%{byte:02X}" for byte in _bytes(found.group())), text
    )


def _bytes(character: str) -> bytes:
    return character.encode("utf-8", "replace")
