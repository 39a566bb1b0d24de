"""What the last error of a source means: a stable code, what is the matter, and what to do.

An error is told by how its text begins; the texts are our own (`pipeline.visits`, `feeds.errors`).
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fault:
    """`advice` is empty when nothing is to be done."""

    code: str
    words: str
    advice: str


def meaning(error: str) -> Fault:
    """Of the beginnings that are known the first that fits; every other fault is one of reading."""
    told = error.lower()
    return next((fault for beginning, fault in _FAULTS if told.startswith(beginning)), _UNREAD)


_IF_IT_LASTS = "If it lasts, tell its webmaster."
_TELL = "Tell its webmaster."
_WITH_CARE = "Open the address with care, and tell its webmaster."
_LET_US_IN = "Ask its webmaster to let Goniec in; the page /bot says who we are."
_FAULTS = (
    (
        "forbidden",
        Fault("forbidden", "It turns machines away (a wall against bots, or a login).", _LET_US_IN),
    ),
    ("this is a wall", Fault("wall", "It sends a page against bots instead of its content.", _LET_US_IN)),
    (
        "this is an empty shell",
        Fault(
            "shell",
            "It sends an empty page that only a browser can fill.",
            "Ask for a feed, or look for another address.",
        ),
    ),
    (
        "this is a web page",
        Fault(
            "page",
            "There is a web page where its content should be.",
            "Open the address and look: perhaps its feed has moved.",
        ),
    ),
    ("the answer is empty", Fault("empty", "It sends nothing at all.", _IF_IT_LASTS)),
    (
        "the feed could not be read within",
        Fault("too-slow", "What it sends takes too long to read: it may be an attack.", _WITH_CARE),
    ),
    (
        "the feed needs more memory",
        Fault(
            "too-much-memory", "What it sends takes too much memory to read: it may be an attack.", _WITH_CARE
        ),
    ),
    (
        "the feed's parser",
        Fault("crashed", "What it sends broke the process that reads it: it may be an attack.", _WITH_CARE),
    ),
    ("tls", Fault("tls", "Its certificate or its encryption is not in order.", _TELL)),
    ("dns", Fault("dns", "Its name leads nowhere.", "Look whether the address has changed.")),
    (
        "rate limited",
        Fault("rate-limited", "It says that we ask too often (429); we wait as long as it wants.", ""),
    ),
    ("unavailable", Fault("unavailable", "It is down for maintenance or overloaded (503).", "")),
    (
        "not found",
        Fault("not-found", "There is nothing at this address any more (404).", "Look for its new address."),
    ),
    (
        "gone",
        Fault("gone", "Its publisher says that it is gone for good (410).", "Look for its new address."),
    ),
    ("server error", Fault("server-error", "Its server has a fault of its own.", _IF_IT_LASTS)),
    ("connect", Fault("connect", "Its server takes no calls.", _IF_IT_LASTS)),
    ("timeout", Fault("timeout", "Its server does not answer in time.", _IF_IT_LASTS)),
    ("interrupted", Fault("interrupted", "Its server hangs up before it has said all.", _IF_IT_LASTS)),
    ("protocol", Fault("protocol", "What its server says is no sound answer.", _TELL)),
    ("too large", Fault("too-large", "It sends more than is read (5 MB).", "Ask for a shorter feed.")),
    (
        "the feed is larger",
        Fault("too-large", "It sends more than is read (5 MB).", "Ask for a shorter feed."),
    ),
    ("too many redirects", Fault("redirects", "It leads round in circles.", _TELL)),
    ("bad redirect", Fault("bad-redirect", "It leads on to an address that cannot be asked.", _TELL)),
    (
        "address refused",
        Fault("address-refused", "Its address does not lead to a public host.", "Correct the address."),
    ),
    (
        "robots.txt",
        Fault(
            "robots", "Its robots.txt asks us not to read this address.", "Ask its webmaster to allow Goniec."
        ),
    ),
    ("an unexpected fault", Fault("ours", "Reading it failed by a fault of Goniec.", "Look into the log.")),
)
_UNREAD = Fault(
    "unread",
    "What it sends cannot be read as what it should be.",
    "Open the address and look: perhaps it has become a page.",
)
# Of a source that is read: its document can do no harm here, but was built to do some.
ALARMS = {
    "entities": Fault(
        "entities",
        "Its document declares what multiplies or leads outside, as attacks do; none of that is followed.",
        _WITH_CARE,
    ),
    "flood": Fault(
        "flood",
        "Its document is a flood of attributes, names or depth, as attacks are; what else it says is read.",
        _WITH_CARE,
    ),
}
CODES = tuple(dict.fromkeys((*(fault.code for _, fault in _FAULTS), _UNREAD.code, *ALARMS)))
