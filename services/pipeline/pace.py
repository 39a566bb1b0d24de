"""What a batch of mail may hold and when each letter of it may leave, by the two limits of the settings.

Decided in the transaction that claims, so that all workers together keep the limits. Without limits nothing
is asked and nothing is written. While a new sender warms up, confirmations do not wait for the rare turns
of those days: somebody is waiting for each. They take a turn all the same, so that the day's number holds.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from services.domain import pace
from services.runtime import Runtime
from services.storage import paces, work
from services.storage.deliveries import MailDue
from services.storage.work import Claim, Lane


@dataclass(frozen=True, slots=True)
class Pace:
    """Mails a second, to everybody and to any one domain; None is no limit. `warm` is the pace for everybody
    once the sender is warmed up, while it is not yet."""

    in_all: float | None
    a_domain: float | None
    warm: float | None = None

    @classmethod
    def today(cls, rt: Runtime) -> "Pace":
        whole, given = rt.settings.mail_per_second, rt.settings
        if whole is None:
            return cls(None, given.mail_per_second_a_domain)
        now = pace.warmed_up(whole, given.mail_warm_up, rt.clock.now().date())
        return cls(now, given.mail_per_second_a_domain, whole if now < whole else None)


def claim(
    session: Session, limits: Pace, lane: Lane, *, now: datetime, lease: timedelta, at_most: int
) -> Claim:
    """Claim as many letters as may leave soon. The lines are held until the transaction ends."""
    if limits.in_all is None:
        return work.claim(session, lane, now=now, lease=lease, limit=at_most)
    line = paces.hold(session, [paces.ALL], now=now)[paces.ALL]
    free = pace.room(line, now, limits.in_all)
    if not free and limits.warm is not None and pace.has_room_today(line, now):
        lane, own = work.CONFIRMATIONS, paces.hold(session, [paces.CONFIRMATIONS], now=now)
        free = pace.room(own[paces.CONFIRMATIONS], now, limits.warm)
    return work.claim(session, lane, now=now, lease=lease, limit=min(at_most, free))


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
        near = _of_all(session, limits, limits.in_all, near, now=now)
    return near


def _of_all(
    session: Session, limits: Pace, per_second: float, near: dict[int, datetime], *, now: datetime
) -> dict[int, datetime]:
    """Turns in the line of all. Where it has none, confirmations were claimed: theirs is another line."""
    line = paces.hold(session, [paces.ALL], now=now)[paces.ALL]
    in_order = sorted(near, key=lambda one: near[one])
    wishes = [near[one] for one in in_order]
    if limits.warm is not None and not pace.room(line, now, per_second):
        own = paces.hold(session, [paces.CONFIRMATIONS], now=now)[paces.CONFIRMATIONS]
        given = pace.space(own, now, limits.warm, wishes)
        moved = {paces.CONFIRMATIONS: given.line, paces.ALL: pace.jumped(line, per_second, len(wishes))}
    else:
        given = pace.space(line, now, per_second, wishes)
        moved = {paces.ALL: given.line}
    paces.move(session, moved)
    return dict(zip(in_order, given.soon, strict=True))


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
