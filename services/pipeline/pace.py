"""What a batch of mail may hold and when each letter of it may leave, by the two limits of the settings.

Decided in the transaction that claims, so that all workers together keep the limits. Without limits nothing
is asked and nothing is written.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from services.domain import pace
from services.runtime import Runtime
from services.storage import paces
from services.storage.deliveries import MailDue
from services.storage.work import Claim


@dataclass(frozen=True, slots=True)
class Pace:
    """Mails a second, to everybody and to any one domain; None is no limit."""

    in_all: float | None
    a_domain: float | None

    @classmethod
    def today(cls, rt: Runtime) -> "Pace":
        wanted, given = rt.settings.mail_per_second, rt.settings
        if wanted is not None:
            wanted = pace.warmed_up(wanted, given.mail_warm_up, rt.clock.now().date())
        return cls(wanted, given.mail_per_second_a_domain)


def room(session: Session, limits: Pace, *, now: datetime, at_most: int) -> int:
    """How many letters may be claimed now. The line is held until the transaction ends."""
    if limits.in_all is None:
        return at_most
    line = paces.hold(session, [paces.ALL], now=now)[paces.ALL]
    return min(at_most, pace.room(line, now, limits.in_all))


def turns(
    session: Session, limits: Pace, held: Claim, due: Sequence[MailDue], *, now: datetime
) -> dict[int, datetime]:
    """{delivery: when it may leave} for those whose turn is near; the others are given back until theirs."""
    going = [one.delivery_id for one in due if not one.held_back]
    near = dict.fromkeys(going, now)
    if limits.a_domain is not None:
        near, later = _by_domain(session, limits.a_domain, due, now=now)
        paces.put_off(session, held, later)
    if limits.in_all is not None and near:
        line = paces.hold(session, [paces.ALL], now=now)[paces.ALL]
        in_order = sorted(near, key=lambda one: near[one])
        given = pace.space(line, now, limits.in_all, [near[one] for one in in_order])
        paces.move(session, {paces.ALL: given.line})
        near = dict(zip(in_order, given.soon, strict=True))
    return near


def _by_domain(
    session: Session, per_second: float, due: Sequence[MailDue], *, now: datetime
) -> tuple[dict[int, datetime], Mapping[int, datetime]]:
    waiting: dict[str, list[int]] = defaultdict(list)
    first: Counter[str] = Counter()
    for one in sorted(due, key=lambda one: not one.is_awaited):
        if not one.held_back:
            domain = one.email.rpartition("@")[2].lower()
            waiting[domain].append(one.delivery_id)
            first[domain] += one.is_awaited
    lines = paces.hold(session, waiting, now=now)
    near: dict[int, datetime] = {}
    later: dict[int, datetime] = {}
    for domain, ids in waiting.items():
        given = pace.give(lines[domain], now, per_second, len(ids), first=first[domain])
        lines[domain] = given.line
        near.update(zip(ids, given.soon, strict=False))
        later.update(zip(ids[len(given.soon) :], given.later, strict=True))
    paces.move(session, lines)
    return near, later
