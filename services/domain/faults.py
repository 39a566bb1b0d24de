"""Whose fault is it that a call was not taken? Ours, theirs, or the network's between; in words.

A guess from how far the call came, and said as one: who was reached and did not answer is at fault, who was
not reached need not be.
"""

from enum import StrEnum


class Fault(StrEnum):
    OURS = "ours"
    THEIRS = "theirs"
    NETWORK = "network"


# By what the HTTP client calls a failure (services.http.FailureKind).
_OF_KIND = {
    "dns": Fault.NETWORK,
    "connect": Fault.NETWORK,
    "interrupted": Fault.NETWORK,
    "address_refused": Fault.THEIRS,
    "tls": Fault.THEIRS,
    "too_large": Fault.THEIRS,
    "too_many_redirects": Fault.THEIRS,
    "protocol": Fault.THEIRS,
}
_WORDS = {
    "dns": "the name could not be looked up: see to its DNS, if it does not work elsewhere either",
    "connect": "nobody answered at that address and port: is it running, and open to us?",
    "interrupted": "the connection broke before an answer: a proxy, a restart, or the line between us",
    "address_refused": "the name leads to an address that is not public, which is never called",
    "tls": "no safe connection came about: see to the certificate, its names and its chain",
    "too_large": "the answer was too long: a few words, or none, will do",
    "too_many_redirects": "the address redirects, which is never followed: name the one it leads to",
    "protocol": "what came back was not a sound HTTP answer",
    "line": "our own line was down: no fault of yours, it is tried again",
    "unsent": "the call could not be made of what is stored here; tell the operator",
}


def of_failure(kind: str, *, was_reached: bool) -> Fault:
    """`was_reached`: a connection stood, so that a time-out is theirs."""
    if kind == "timeout":
        return Fault.THEIRS if was_reached else Fault.NETWORK
    return _OF_KIND.get(kind, Fault.OURS)


def of_status(status: int) -> Fault | None:
    return None if 200 <= status < 300 else Fault.THEIRS


def words(fault: str | None, kind: str, status: int | None) -> str:
    """What happened and what to look at, for the owner of the endpoint; empty when all was well.

    `kind` is the failure's, empty for an answer.
    """
    if fault is None:
        return ""
    if fault == Fault.OURS:
        return _WORDS["line" if kind in _OF_KIND or kind == "timeout" else "unsent"]
    if kind == "timeout":
        if fault == Fault.NETWORK:
            return "no connection within the time allowed: is it running, and open to us?"
        return "it was reached and did not answer in time: answer first, work afterwards"
    if kind in _WORDS:
        return _WORDS[kind]
    return _of_answer(status) if status is not None else _WORDS["unsent"]


def _of_answer(status: int) -> str:
    match status:
        case 410:
            return "it said that it is gone, and is called no more"
        case 429:
            return "it was called too often: name a pace (max_per_s)"
        case 401 | 403:
            return "it refused the call: is the secret the right one, and the clock?"
        case 404 | 405:
            return "nothing takes calls at this path: is the address right?"
        case _ if 300 <= status < 400:
            return "it redirects, which is never followed: name the address that it leads to"
        case _ if status >= 500:
            return "it failed while it worked on the call: see its own log"
        case _:
            return "it refused the call: see its own log"
