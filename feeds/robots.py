"""robots.txt (RFC 9309): may a crawler of this name read this address? Text in, a verdict out."""

import re
from collections.abc import Iterable, Iterator
from urllib.parse import quote, unquote, urlsplit

MAX_CHARS = 500_000
MAX_RULES = 5_000
Rule = tuple[bool, str]  # allowed, pattern
_NAME = re.compile(r"[A-Za-z_-]+")


def allows(status: int | None, body: str, url: str, *, agent: str) -> bool:
    """The verdict for a whole address. A site that cannot say (5xx, no answer) is left alone; one that has no
    such file (4xx) allows all (sections 2.3.1.3 and 2.3.1.4)."""
    if status is None or status >= 500 or status == 429:
        return False
    if not 200 <= status < 300:
        return True
    named, general = _rules(body[:MAX_CHARS], agent.lower())
    return _verdict(general if named is None else named, url)


def allows_by_name(status: int | None, body: str, url: str, *, agent: str) -> bool:
    """The verdict for an address that was given out for machines: only a group that names the agent counts,
    and a site that cannot say has said nothing."""
    if status is None or not 200 <= status < 300:
        return True
    named, _ = _rules(body[:MAX_CHARS], agent.lower())
    return _verdict(named or [], url)


def _verdict(rules: Iterable[Rule], url: str) -> bool:
    """The longest pattern that fits decides; of two as long the one that allows (section 2.2.2)."""
    parts = urlsplit(url)
    path = _normal((parts.path or "/") + (f"?{parts.query}" if parts.query else ""))
    best, verdict = -1, True
    for is_allowed, pattern in rules:
        if pattern and len(pattern) >= best and _matches(pattern, path):
            verdict = is_allowed or (len(pattern) == best and verdict)
            best = len(pattern)
    return verdict


def origin_of(url: str) -> str:
    """Scheme, host and port: what one robots.txt speaks for."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}".lower()


def _rules(body: str, agent: str) -> tuple[list[Rule] | None, list[Rule]]:
    """The rules of all groups that name the agent, None when there are none; and those for everybody."""
    named: list[Rule] = []
    general: list[Rule] = []
    is_named = False
    holders: list[str] = []
    in_rules = False
    for field, value in _lines(body):
        if field == "user-agent":
            holders = [value] if in_rules else [*holders, value]
            in_rules = False
            is_named = is_named or _names(value, agent)
        elif field in ("allow", "disallow"):
            in_rules = True
            rule = (field == "allow", _normal(value))
            if any(_names(one, agent) for one in holders):
                named.append(rule)
            if "*" in holders:
                general.append(rule)
    return (named[:MAX_RULES] if is_named else None), general[:MAX_RULES]


def _lines(body: str) -> Iterator[tuple[str, str]]:
    for line in body.lstrip("\ufeff").splitlines():
        field, colon, value = line.partition("#")[0].partition(":")
        if colon:
            yield field.strip().lower(), value.strip()


def _names(value: str, agent: str) -> bool:
    found = _NAME.match(value)
    return found is not None and found[0].lower() == agent


def _normal(path: str) -> str:
    """One spelling of percent signs, so that `%7E` and `~` are the same octet."""
    return quote(unquote(path, errors="surrogateescape"), safe="/%?=&*$~!'()+,;:@", errors="surrogateescape")


def _matches(pattern: str, path: str) -> bool:
    """`*` is anything, a `$` at the end is the end. Linear: pieces are looked for from the left."""
    is_whole = pattern.endswith("$")
    pieces = pattern.removesuffix("$").split("*")
    if not path.startswith(pieces[0]):
        return False
    at = len(pieces[0])
    for piece in pieces[1:-1]:
        found = path.find(piece, at)
        if found < 0:
            return False
        at = found + len(piece)
    if len(pieces) == 1:
        return not is_whole or at == len(path)
    last = pieces[-1]
    if is_whole:
        return len(path) - len(last) >= at and path.endswith(last)
    return path.find(last, at) >= 0
