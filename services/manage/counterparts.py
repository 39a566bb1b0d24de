"""Who offers what a notice needs, and who needs what it offers, with the reasons. Changes nothing."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from services.errors import NotFound
from services.interests.meeting import COMPLEMENTS, Fit, Side, fits
from services.runtime import Runtime
from services.storage import exchange
from services.storage.exchange import Told

LOOK_BACK = timedelta(days=365)
MOST_HELD = 400
MOST = 5


@dataclass(frozen=True, slots=True)
class Counterpart:
    """A notice in its public form, and why it fits."""

    notice: dict[str, Any]
    score: float
    topics: tuple[str, ...]
    words: tuple[str, ...]
    place: str | None
    audience: bool


def of_notice(rt: Runtime, notice_id: int, *, limit: int = MOST) -> list[Counterpart]:
    """The best answers to a notice, the best first; none for kinds that nothing complements.

    Raises NotFound. What was withdrawn or is over answers nothing, and is not answered.
    """
    now = rt.clock.now()
    with rt.begin() as session:
        found = exchange.told(session, [notice_id])
        if not found:
            raise NotFound("There is no such notice.", notice_id=notice_id)
        one = found[0]
        kinds = COMPLEMENTS.get(one.listed.form["kind"], ())
        if not kinds or one.listed.form["withdrawn_at"] or _is_over(one.listed.form, now):
            return []
        others = exchange.open_ones(
            session, kinds=kinds, but=one.institution_id, since=now - LOOK_BACK, now=now, limit=MOST_HELD
        )
    forms = {other.listed.id: dict(other.listed.form) for other in others}
    met = fits(_side(one), [_side(other) for other in others], rt.analyser)
    return [_counterpart(fit, forms[fit.notice_id]) for fit in met[:limit]]


def _is_over(form: Mapping[str, Any], now: datetime) -> bool:
    ends = (form["deadline_at"], form["ends_at"])
    return any(at and datetime.fromisoformat(at) <= now for at in ends)


def _side(one: Told) -> Side:
    return Side(one.listed.document(), one.kind, one.seat)


def _counterpart(fit: Fit, form: dict[str, Any]) -> Counterpart:
    return Counterpart(form, fit.score, fit.topics, fit.words, fit.place, fit.audience)
