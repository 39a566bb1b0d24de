"""May we call this address? CloudEvents' handshake against abuse (HTTP 1.1 Web Hooks for Event Delivery,
1.0.1, section 4): asked by OPTIONS, obeyed where it is offered.

Pure. Who does not know the handshake is called all the same: a signed call is no flood, and the owner named
the address. Who offers it decides: no calls without consent, and none faster than allowed.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

USUAL_PER_MIN = 6_000  # what we ask for where the owner set no pace
ALLOWED_ORIGIN = "webhook-allowed-origin"
ALLOWED_RATE = "webhook-allowed-rate"
GONE = 410


class State(StrEnum):
    GRANTED = "granted"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Consent:
    """`state` is None where the receiver offers no handshake; `per_min` is the most calls a minute, None when
    it sets no limit."""

    state: State | None
    per_min: int | None
    because: str


def questions(origin: str, *, per_min: int, callback: str) -> tuple[tuple[str, str], ...]:
    """The headers of the OPTIONS request."""
    return (
        ("WebHook-Request-Origin", origin),
        ("WebHook-Request-Rate", str(per_min)),
        ("WebHook-Request-Callback", callback),
    )


def read(status: int, header: Callable[[str], str | None], origin: str) -> Consent:
    """What an answer to OPTIONS means; `header` gives the first value of one, by its name in lower case."""
    if status == GONE:
        return Consent(State.REFUSED, None, "it says that it is gone (410)")
    allowed = (header(ALLOWED_ORIGIN) or "").strip()
    if not 200 <= status < 300 or not allowed:
        return Consent(None, None, f"it offers no handshake (status {status})")
    if allowed != "*" and allowed.lower() != origin.lower():
        return Consent(
            State.REFUSED, None, f"it allows calls from {_shown(allowed)} alone, and we are {origin}"
        )
    return granted(header(ALLOWED_RATE))


def granted(rate: str | None) -> Consent:
    """Consent with the allowed rate as it was told: a number of calls a minute, `*`, or nothing."""
    told = (rate or "*").strip()
    if told == "*":
        return Consent(State.GRANTED, None, "it agreed, at any rate")
    if told.isascii() and told.isdigit() and int(told[:9]) > 0:
        per_min = int(told[:9])
        return Consent(State.GRANTED, per_min, f"it agreed, to {per_min:,} calls a minute")
    return Consent(State.GRANTED, None, f"it agreed; the rate that it allows cannot be read: {_shown(told)}")


def _shown(text: str) -> str:
    return "".join(letter for letter in text if letter.isprintable())[:80]
