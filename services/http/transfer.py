"""One libcurl handle, what its callbacks gather, and what its end means.

Never dials an address that the guard refuses: it is asked for each socket, and once more before the
request leaves. Takes nothing from the environment.
"""

import socket
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pycurl  # type: ignore[import-untyped]

from services.clock import SystemClock
from services.domain.addresses import Target
from services.http.values import (
    Failure,
    FailureKind,
    Hop,
    Phases,
    Request,
    Response,
    header_lines,
    read_header,
)

MAX_HEADER_BYTES = 64 * 1024
MAX_SENDS = 2  # the request, and once more when a kept connection broke unused
KEEP_IDLE_S = 50  # below the 60 s after which most servers hang up
SLOW_BYTES_PER_S = 64
SLOW_AFTER_S = 5.0
STALL_AFTER_S = 30
LOOPBACK = ("127.0.0.1", "::1")

_KINDS = {
    pycurl.E_COULDNT_RESOLVE_HOST: (FailureKind.DNS, "the name could not be resolved"),
    pycurl.E_COULDNT_CONNECT: (FailureKind.CONNECT, "no connection could be opened"),
    pycurl.E_OPERATION_TIMEDOUT: (FailureKind.TIMEOUT, "it took too long"),
    pycurl.E_FILESIZE_EXCEEDED: (FailureKind.TOO_LARGE, "the answer is too large"),
    pycurl.E_GOT_NOTHING: (FailureKind.INTERRUPTED, "the connection was closed without an answer"),
    pycurl.E_SEND_ERROR: (FailureKind.INTERRUPTED, "the connection broke while sending"),
    pycurl.E_RECV_ERROR: (FailureKind.INTERRUPTED, "the connection broke while receiving"),
    pycurl.E_PARTIAL_FILE: (FailureKind.INTERRUPTED, "the answer ended too early"),
    pycurl.E_BAD_CONTENT_ENCODING: (FailureKind.PROTOCOL, "the answer's compression is broken"),
}
_TLS = frozenset(
    {
        pycurl.E_SSL_CONNECT_ERROR,
        pycurl.E_PEER_FAILED_VERIFICATION,
        pycurl.E_SSL_CERTPROBLEM,
        pycurl.E_SSL_CIPHER,
        pycurl.E_SSL_ISSUER_ERROR,
        pycurl.E_SSL_CACERT_BADFILE,
        pycurl.E_SSL_INVALIDCERTSTATUS,
        pycurl.E_SSL_ENGINE_INITFAILED,
    }
)


@dataclass(frozen=True, slots=True)
class Rules:
    """What all transfers of one client share."""

    user_agent: str
    guarded: bool
    dialable: Callable[[str], bool]
    resolve: Mapping[str, Sequence[str]]
    ca_file: str | None

    def known(self, target: Target) -> Sequence[str]:
        """The addresses of a host that nobody is asked about, if it is one of those.

        `localhost` means this machine in both families; what may be dialled of it is enough.
        """
        if given := self.resolve.get(target.host):
            return given
        if target.host.rpartition(".")[2] == "localhost":
            return [address for address in LOOPBACK if not self.guarded or self.dialable(address)]
        return ()

    def pinned(self, target: Target) -> list[str]:
        """libcurl's spelling of the addresses that replace a look-up of this host, for now."""
        addresses = self.known(target)
        if not addresses:
            return []
        listed = ",".join(f"[{address}]" if ":" in address else address for address in addresses)
        return [f"+{target.host}:{target.port}:{listed}"]


@dataclass(slots=True)
class Job:
    """One request on its way through its hops; `current` is the request of this hop."""

    request: Request
    current: Request
    target: Target = field(init=False)
    hops: list[Hop] = field(default_factory=list)
    spent_s: float = 0.0


class Transfer:
    """One reusable libcurl handle and what its callbacks gather about the request it carries."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._now = SystemClock().monotonic
        self.curl = pycurl.Curl()
        self._prepare()

    def _prepare(self) -> None:
        """The options that no request changes."""
        put = self.curl.setopt
        put(pycurl.NOSIGNAL, 1)
        put(pycurl.PROTOCOLS, pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS)
        put(pycurl.FOLLOWLOCATION, 0)
        put(pycurl.PROXY, "")
        put(pycurl.NOPROXY, "*")
        put(pycurl.NETRC, pycurl.NETRC_IGNORED)
        put(pycurl.HTTP_VERSION, pycurl.CURL_HTTP_VERSION_1_1)
        put(pycurl.ACCEPT_ENCODING, "gzip, br, deflate")
        put(pycurl.USERAGENT, self._rules.user_agent)
        put(pycurl.MAXAGE_CONN, KEEP_IDLE_S)
        put(pycurl.LOW_SPEED_LIMIT, SLOW_BYTES_PER_S)
        put(pycurl.LOW_SPEED_TIME, STALL_AFTER_S)
        if self._rules.ca_file:
            put(pycurl.CAINFO, self._rules.ca_file)
        put(pycurl.OPENSOCKETFUNCTION, self._on_open)
        put(pycurl.PREREQFUNCTION, self._on_ready)
        put(pycurl.HEADERFUNCTION, self._on_header)
        put(pycurl.WRITEFUNCTION, self._on_body)

    def load(self, job: Job) -> None:
        """Point the handle at the job's current hop."""
        self.job = job
        self.address: str | None = None
        self.sends = 0
        self.verdict: tuple[FailureKind, str] | None = None
        self._headers: list[bytes] = []
        self._header_bytes = 0
        self._chunks: list[bytes] = []
        self._body_bytes = 0
        self._first_chunk_at = 0.0
        request, put = job.current, self.curl.setopt
        put(pycurl.URL, job.target.url)
        put(pycurl.HTTPHEADER, [*header_lines(request.headers), *_unwanted(request)])
        put(pycurl.CONNECTTIMEOUT_MS, max(1, int(request.connect_timeout_s * 1000)))
        put(pycurl.TIMEOUT_MS, max(1, int((request.total_timeout_s - job.spent_s) * 1000)))
        put(pycurl.MAXFILESIZE_LARGE, request.max_bytes)
        if (pins := self._rules.pinned(job.target)) or self._rules.resolve:
            put(pycurl.RESOLVE, pins)
        self._load_method(request)

    def unload(self) -> None:
        """Let go of what the last request brought."""
        self._headers, self._chunks = [], []

    def _load_method(self, request: Request) -> None:
        curl = self.curl
        curl.unsetopt(pycurl.CUSTOMREQUEST)
        curl.setopt(pycurl.NOBODY, 0)
        curl.setopt(pycurl.HTTPGET, 1)
        if request.method == "HEAD":
            curl.setopt(pycurl.NOBODY, 1)
        elif request.body is not None or request.method in ("POST", "PUT", "PATCH"):
            curl.setopt(pycurl.POSTFIELDS, request.body or b"")
        if request.method not in ("GET", "HEAD", "POST") or (request.method == "GET" and request.body):
            curl.setopt(pycurl.CUSTOMREQUEST, request.method)

    def _on_open(self, _purpose: int, address: Any) -> int:
        family, kind, protocol, peer = address
        if self._rules.guarded and not (isinstance(peer, tuple) and self._rules.dialable(peer[0])):
            self.address = str(peer[0]) if isinstance(peer, tuple) else None
            self._refuse()
            return int(pycurl.SOCKET_BAD)
        return socket.socket(family, kind, protocol).detach()

    def _on_ready(self, address: str, _local: str, _port: int, _local_port: int) -> int:
        """Connected, the request not yet sent: the last moment to turn back."""
        if self._rules.guarded and not self._rules.dialable(address):
            self._refuse()
        if self.verdict is not None:  # one bad address refuses the host, though another one answered
            return int(pycurl.PREREQFUNC_ABORT)
        self.address = address
        if self.sends and not (self.job.current.may_repeat and self.sends < MAX_SENDS):
            self.verdict = (FailureKind.INTERRUPTED, "the kept connection broke before an answer")
            return int(pycurl.PREREQFUNC_ABORT)
        self.sends += 1
        return int(pycurl.PREREQFUNC_OK)

    def _refuse(self) -> None:
        self.verdict = (
            FailureKind.ADDRESS_REFUSED,
            "the host resolves to an address that must not be dialled",
        )

    def _on_header(self, line: bytes) -> int | None:
        self._header_bytes += len(line)
        if self._header_bytes > MAX_HEADER_BYTES:
            self.verdict = (FailureKind.TOO_LARGE, "the answer's headers are too large")
            return 0
        if line.startswith(b"HTTP/") and not self._body_bytes:
            self._headers.clear()  # what came before belonged to an interim answer (1xx)
        elif line[:1] in b" \t" and self._headers:
            self._headers[-1] += b" " + line.strip()
        elif line.strip():
            self._headers.append(line)
        return None

    def _on_body(self, chunk: bytes) -> int | None:
        self._body_bytes += len(chunk)
        if self._body_bytes > self.job.current.max_bytes:
            self.verdict = (FailureKind.TOO_LARGE, "the answer is too large")
            return 0
        now = self._now()
        self._first_chunk_at = self._first_chunk_at or now
        passed_s = now - self._first_chunk_at
        if passed_s > SLOW_AFTER_S and self._body_bytes < SLOW_BYTES_PER_S * passed_s:
            self.verdict = (FailureKind.TIMEOUT, "the answer drips too slowly")
            return 0
        self._chunks.append(chunk)
        return None

    def response(self) -> Response:
        job = self.job
        return Response(
            status=self.curl.getinfo(pycurl.RESPONSE_CODE),
            headers=tuple(read_header(line) for line in self._headers),
            body=b"".join(self._chunks),
            url=job.target.url,
            address=self.address or "",
            phases=self.phases(),
            hops=tuple(job.hops),
        )

    def failure(self, code: int, message: str) -> Failure:
        """What libcurl's error `code`, or our own earlier verdict, means to the caller."""
        if self.verdict is not None:
            kind, detail = self.verdict
        elif code in _TLS:
            kind, detail = FailureKind.TLS, message[:200] or "no safe connection could be agreed on"
        else:
            kind, detail = _KINDS.get(
                code, (FailureKind.PROTOCOL, f"not a sound HTTP answer (libcurl {code})")
            )
        return Failure(
            kind=kind,
            detail=detail,
            sent=self.sends > 0,
            address=self.address,
            status=self.curl.getinfo(pycurl.RESPONSE_CODE) or None,
            phases=self.phases(),
            hops=tuple(self.job.hops),
        )

    def spent_s(self) -> float:
        """Seconds that all hops so far took."""
        return self.job.spent_s + float(self.curl.getinfo(pycurl.TOTAL_TIME))

    def phases(self) -> Phases:
        get = self.curl.getinfo
        dns, connected = get(pycurl.NAMELOOKUP_TIME), get(pycurl.CONNECT_TIME)
        secured = get(pycurl.APPCONNECT_TIME)
        ready, first_byte = get(pycurl.PRETRANSFER_TIME), get(pycurl.STARTTRANSFER_TIME)
        sent = get(pycurl.POSTTRANSFER_TIME_T) / 1_000_000
        ended = get(pycurl.TOTAL_TIME)
        waited_until = first_byte or ended  # what never answered was waited for to the end
        return Phases(
            dns_ms=dns * 1000,
            connect_ms=max(0.0, connected - dns) * 1000,
            tls_ms=max(0.0, secured - connected) * 1000,
            send_ms=max(0.0, sent - ready) * 1000,
            first_byte_ms=max(0.0, waited_until - sent) * 1000 if sent else 0.0,
            read_ms=max(0.0, ended - first_byte) * 1000 if first_byte else 0.0,
            total_ms=self.spent_s() * 1000,
        )


def _unwanted(request: Request) -> list[bytes]:
    """Headers that libcurl would add of its own accord, switched off."""
    given = {name.lower() for name, _ in request.headers}
    return [b"Expect:"] if "content-type" in given else [b"Expect:", b"Content-Type:"]
