"""What one's own page shows: a person's interests and settings, ready for its template."""

from dataclasses import dataclass
from datetime import datetime
from functools import cache
from zoneinfo import available_timezones

from services.manage import mutes, private_feed
from services.manage.subscribers import SubscriberView
from services.manage.subscriptions import SubscriptionView
from services.web import choices, days
from services.web.guards import Form
from services.web.visits import Visit
from services.web.wishes import Rhythm, Wanted

REGIONS = ("Africa/", "America/", "Asia/", "Atlantic/", "Australia/", "Europe/", "Indian/", "Pacific/")


@dataclass(frozen=True, slots=True)
class Row:
    """One interest in the list; `pause_day` is the day to which it is paused, as forms take it."""

    id: int
    label: str
    query: str
    rhythm: Rhythm
    follows_usual: bool
    paused_until: datetime | None
    pause_day: str

    @classmethod
    def of(cls, subscription: SubscriptionView, zone: str, now: datetime) -> "Row":
        until = subscription.paused_until
        paused_until = until if until and until > now else None
        return cls(
            subscription.id,
            subscription.label,
            subscription.query,
            Rhythm.of(subscription.cadence),
            subscription.follows_usual,
            paused_until,
            days.today(paused_until, zone) if paused_until else "",
        )


def context_of(
    here: Visit, person: SubscriberView, *, sent: Form | None, **said: object
) -> dict[str, object]:
    """Everything the page needs; `said` is what its last form led to (told, fault, fault_at, preview)."""
    now = here.rt.clock.now()
    is_paused = person.paused_until is not None and person.paused_until > now
    return {
        "person": person,
        "paused_until": person.paused_until if is_paused else None,
        "subscriptions": [
            Row.of(one, person.timezone, now) for one in person.subscriptions if one.channel == "email"
        ],
        "wanted": Wanted.read(sent) if sent else Wanted(),
        "rhythm": Rhythm.read(sent) if sent else Rhythm(),
        "usual": Rhythm.of(person.cadence),
        "topics": choices.topic_groups(here.locale),
        "places": choices.place_groups(),
        "kinds": choices.kind_groups(here.locale),
        "zones": zones(person.timezone),
        "zone": person.timezone,
        "mutes": mutes.list_for(here.rt, person.id),
        "word": sent.one("word") if sent else "",
        "today": days.today(now, person.timezone),
        "feed_url": f"/feeds/private/{private_feed.token_for(here.rt, person.id)}.atom",
        "told": "",
        "fault": None,
        "fault_at": None,
        "preview": None,
        **said,
    }


def zones(present: str) -> list[str]:
    """The zones to choose from, the present one among them."""
    return sorted({*_zones(), present})


@cache
def _zones() -> frozenset[str]:
    return frozenset(zone for zone in available_timezones() if zone.startswith(REGIONS) or zone == "UTC")
