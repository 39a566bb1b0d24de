"""The way out to hubs of sources (W3C WebSub, section 5.1): asking to be told, and to be told no more."""

from dataclasses import replace
from urllib.parse import urlencode, urljoin

from services.domain.addresses import read_target
from services.errors import AddressRefused
from services.http import Answer, Failure, Request, Response

MAX_ANSWER_BYTES = 64 * 1024
TOTAL_TIMEOUT_S = 20.0
REDIRECTS = 3
MOVED = frozenset({301, 302, 307, 308})
FORM = "application/x-www-form-urlencoded"


def asking(
    hub: str, *, mode: str, topic: str, callback: str, secret: str, lease_s: int, tag: object
) -> Request:
    """A request to a hub; it answers at once and asks back at the callback."""
    told = {"hub.mode": mode, "hub.topic": topic, "hub.callback": callback}
    if mode == "subscribe":
        told |= {"hub.secret": secret, "hub.lease_seconds": str(lease_s)}
    return Request(
        url=hub,
        method="POST",
        headers=(("Content-Type", FORM),),
        body=urlencode(told).encode(),
        max_bytes=MAX_ANSWER_BYTES,
        total_timeout_s=TOTAL_TIMEOUT_S,
        tag=tag,
    )


def onward(request: Request, answer: Answer) -> Request | None:
    """The same request at the address that a hub redirects to: it stays a POST whatever the redirect says.

    None where it leads nowhere, or would take our secret from https to http.
    """
    if not isinstance(answer, Response) or answer.status not in MOVED:
        return None
    try:
        target = read_target(urljoin(request.url, answer.header("location") or ""))
    except (ValueError, AddressRefused):
        return None
    is_exposed = request.url.startswith("https:") and target.scheme != "https"
    return None if is_exposed or not answer.header("location") else replace(request, url=target.url)


def refusal(answer: Answer) -> str | None:
    """Why a hub did not take a request; None when it did."""
    if isinstance(answer, Failure):
        return f"{answer.kind}: {answer.detail}"[:300]
    if 200 <= answer.status < 300:
        return None
    told = answer.body[:400].decode("utf-8", "replace")
    words = " ".join("".join(letter if letter.isprintable() else " " for letter in told).split())
    return f"HTTP {answer.status}: {words[:200]}" if words else f"HTTP {answer.status}"
