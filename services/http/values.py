"""What goes into and comes out of the HTTP client, and how a redirect is followed.

Values alone: nothing here dials or waits.
"""

import re
from dataclasses import dataclass, field, replace
from enum import StrEnum
from urllib.parse import urljoin

from services.domain.addresses import read_target
from services.errors import AddressRefused

Headers = tuple[tuple[str, str], ...]

REDIRECTS = frozenset({301, 302, 303, 307, 308})
KEEP_METHOD = frozenset({307, 308})
IDEMPOTENT = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE"})
TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+\Z")  # RFC 9110 section 5.6.2
# What may follow a redirect to another origin; keys, cookies and signatures stay behind.
TRAVELS = re.compile(r"(accept(-.*)?|a-im|if-none-match|if-modified-since|content-type)\Z", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Request:
    """One request. `max_bytes` counts the body after decompression; `tag` is the caller's own.

    `redirects` is how many may be followed; with 0 a redirect is an answer like any other. `repeatable`
    says whether it may be sent again at once when a kept connection breaks before a byte of the
    answer came; unset, the method decides (a POST is not).
    """

    url: str
    method: str = "GET"
    headers: Headers = ()
    body: bytes | None = None
    max_bytes: int = 5_000_000
    connect_timeout_s: float = 5.0
    total_timeout_s: float = 20.0
    redirects: int = 0
    repeatable: bool | None = None
    tag: object = None

    def __post_init__(self) -> None:
        for word in (self.method, *(name for name, _ in self.headers)):
            if not TOKEN.match(word):
                raise ValueError(f"neither a method nor a header's name: {word!r}")

    @property
    def may_repeat(self) -> bool:
        return self.method in IDEMPOTENT if self.repeatable is None else self.repeatable


@dataclass(frozen=True, slots=True)
class Phases:
    """How long each part of the last hop took; `total_ms` is of all hops.

    On a kept connection dns, connect and tls cost nothing. `first_byte_ms` is from when the request had been
    sent to the first byte of the answer.
    """

    dns_ms: float = 0.0
    connect_ms: float = 0.0
    tls_ms: float = 0.0
    send_ms: float = 0.0
    first_byte_ms: float = 0.0
    read_ms: float = 0.0
    total_ms: float = 0.0


@dataclass(frozen=True, slots=True)
class Hop:
    """One redirect that was followed, or refused: from `url` to `location`."""

    url: str
    status: int
    location: str


@dataclass(frozen=True, slots=True)
class Response:
    """An answer, whatever its status. Names of headers are in lower case; `url` is where it came from."""

    status: int
    headers: Headers
    body: bytes
    url: str
    address: str
    phases: Phases
    hops: tuple[Hop, ...] = ()

    def header(self, name: str) -> str | None:
        """The first value of this header."""
        return next(iter(self.header_all(name)), None)

    def header_all(self, name: str) -> tuple[str, ...]:
        wanted = name.lower()
        return tuple(value for key, value in self.headers if key == wanted)


class FailureKind(StrEnum):
    DNS = "dns"
    ADDRESS_REFUSED = "address_refused"
    CONNECT = "connect"
    TLS = "tls"
    TIMEOUT = "timeout"
    TOO_LARGE = "too_large"
    TOO_MANY_REDIRECTS = "too_many_redirects"
    PROTOCOL = "protocol"
    INTERRUPTED = "interrupted"


@dataclass(frozen=True, slots=True)
class Failure:
    """No whole answer. `sent`: the request may have reached the peer; `status`: what it had said by then."""

    kind: FailureKind
    detail: str
    sent: bool = False
    address: str | None = None
    status: int | None = None
    phases: Phases = field(default_factory=Phases)
    hops: tuple[Hop, ...] = ()


Answer = Response | Failure


def header_lines(headers: Headers) -> list[bytes]:
    """Headers as lines for the wire; control characters, which could begin another header, become spaces."""
    return [_line(name, value) for name, value in headers]


def _line(name: str, value: str) -> bytes:
    clean = re.sub(r"[\x00-\x1f\x7f]+", " ", value).strip()
    return f"{name}: {clean}".encode() if clean else f"{name};".encode()


def read_header(line: bytes) -> tuple[str, str]:
    """One header line as (name in lower case, value); bytes above ASCII are UTF-8 or else Latin-1."""
    name, _, value = line.partition(b":")
    return name.strip().decode("latin-1").lower(), _text(value.strip())


def _text(raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def redirected(request: Request, status: int, location: str) -> Request:
    """The request that follows a redirect. Raises AddressRefused when `location` must not be asked.

    As browsers do: 303, and 301 or 302 after a POST, become a GET. Another origin gets no credentials.
    """
    target = read_target(urljoin(request.url, location))
    headers = request.headers
    if target.origin != _origin(request.url):
        headers = tuple((name, value) for name, value in headers if TRAVELS.match(name))
    if request.method in ("GET", "HEAD") or status in KEEP_METHOD:
        return replace(request, url=target.url, headers=headers, redirects=request.redirects - 1)
    headers = tuple((name, value) for name, value in headers if name.lower() != "content-type")
    return replace(
        request, url=target.url, headers=headers, redirects=request.redirects - 1, method="GET", body=None
    )


def _origin(url: str) -> tuple[str, str, int] | None:
    try:
        return read_target(url).origin
    except AddressRefused:
        return None
