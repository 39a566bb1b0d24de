"""The best of the last days for somebody's interests: what a welcome shows before the first letter comes.

Ranked as a digest is. Commercial notices are shown only to who agreed to them.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from services.domain import ranking
from services.domain.ranking import Ranked
from services.manage.previews import preview
from services.runtime import Runtime

DAYS = 7
MOST = 5
_SAMPLES = 20


def best(rt: Runtime, queries: Sequence[str], *, commercial: bool) -> list[dict[str, Any]]:
    """Notices in their public form, the best first, at most five; what meets several queries goes before."""
    met: dict[int, int] = {}
    forms: dict[int, dict[str, Any]] = {}
    for query in queries:
        for form in preview(rt, query, days=DAYS, samples=_SAMPLES).samples:
            if form["commercial"] and not commercial:
                continue
            forms[form["id"]] = form
            met[form["id"]] = met.get(form["id"], 0) + 1
    stories = {form["story"]: form for form in sorted(forms.values(), key=lambda one: met[one["id"]])}
    ranked = ranking.rank([_ranked(form, met[form["id"]]) for form in stories.values()], rt.clock.now())
    return [forms[place.key] for place in ranked[:MOST]]


def _ranked(form: dict[str, Any], strength: int) -> Ranked:
    deadline = form["deadline_at"]
    return Ranked(
        key=form["id"], match=float(strength),
        deadline_at=datetime.fromisoformat(deadline) if deadline else None,
        told_at=datetime.fromisoformat(form["published_at"]), institution=form["institution"]["slug"],
        city=form["places"][0] if form["places"] else None, words=frozenset(form["title"].lower().split()),
    )  # fmt: skip
