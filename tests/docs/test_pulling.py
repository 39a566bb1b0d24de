"""What the guide says of pulling is so."""

from services.api import waiting
from services.api.routes import log
from services.manage import event_feeds
from tests.docs import guides


def test_the_bounds_of_waiting_are_those_of_the_code() -> None:
    text = " ".join(guides.read("webhooks.md").split())
    assert f"`wait` (0 to {log.MAX_WAIT_S} seconds)" in text
    assert "A stream ends after ten minutes" in text
    assert log.STREAM_FOR_S == 600
    assert f"One key may wait {waiting.MOST_OF_ONE} times at once" in text
    assert f"the newest {event_feeds.ITEMS} events" in text
