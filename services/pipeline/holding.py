"""What may not go yet: held by a pause, by quiet hours, or by what a reader wants in a day at most.

Nothing is dropped here: what is held waits under the cadence `catchup` and comes in one letter. Past the
daily budget the best go, and the others are ranked anew the next day.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from services.domain import ranking, reach
from services.domain.reach import Reach
from services.pipeline.strength import scales
from services.runtime import Runtime
from services.storage import holding as store
from services.storage.issues import ToldEvent, Waiting, Window

Held = dict[int, tuple[int, datetime]]


def alerts(rt: Runtime, going: Sequence[Waiting], events: Mapping[int, ToldEvent]) -> Held:
    """Alerts that may not go now: {candidate: (reader, when they may)}."""
    now = rt.clock.now()
    held: Held = {}
    counted = []
    for one in going:
        until = reach.held_until(one.reach, now, urgent=one.is_urgent)
        if until is not None:
            held[one.candidate_id] = one.subscriber_id, until
        elif one.reach.daily_budget is not None and not one.is_urgent:
            counted.append(one)
    return held | _past_budget(rt, counted, events)


def room(rt: Runtime, readers: Iterable[tuple[int, Reach]]) -> dict[int, int]:
    """{reader: how many stories they may still be told today}, for readers with a daily budget."""
    now = rt.clock.now()
    limited = {reader: one for reader, one in readers if one.daily_budget is not None}
    if not limited:
        return {}
    since = {reader: reach.day_begins(one, now) for reader, one in limited.items()}
    with rt.begin() as session:
        told = store.told_since(session, since)
    return {reader: max(0, (one.daily_budget or 0) - told.get(reader, 0)) for reader, one in limited.items()}


def windows(rt: Runtime, due: Sequence[Window]) -> tuple[dict[int, datetime], dict[int, int]]:
    """Windows that may not close now {rhythm: when they may}, and the room of readers with a budget."""
    now = rt.clock.now()
    left = room(rt, ((one.subscriber_id, one.reach) for one in due))
    held: dict[int, datetime] = {}
    for one in due:
        until = reach.held_until(one.reach, now)
        if until is None and left.get(one.subscriber_id) == 0:
            until = reach.next_day(one.reach, now)
        if until is not None:
            held[one.rhythm_id] = until
    return held, left


def _past_budget(rt: Runtime, counted: Sequence[Waiting], events: Mapping[int, ToldEvent]) -> Held:
    """The least in rank of what is more than a reader's day has room for."""
    groups: dict[int, dict[int, list[Waiting]]] = defaultdict(lambda: defaultdict(list))
    for one in counted:
        groups[one.subscriber_id][one.event_id].append(one)
    left = room(rt, ((one.subscriber_id, one.reach) for one in counted))
    tight = {reader: told for reader, told in groups.items() if len(told) > left[reader]}
    if not tight:
        return {}
    now, weigh = rt.clock.now(), scales(rt, counted)
    held: Held = {}
    for reader, told in tight.items():
        ranked = ranking.rank([weigh.story(e, events[e], group) for e, group in told.items()], now)
        for place in ranked[left[reader] :]:
            for one in told[place.key]:
                held[one.candidate_id] = reader, reach.next_day(one.reach, now)
    return held
