"""When our own line is dead no endpoint is blamed; when endpoints are dead they are."""

from datetime import timedelta

import pytest

from services.clock import FrozenClock
from services.manage import calls, endpoints
from services.pipeline import deliver, match
from services.runtime import Runtime
from tests.conftest import OpenRuntime
from tests.doubles.web import WebDouble
from tests.factories import counts, draft, listener, only, publish, rows

HOSTS = {f"{name}.example": ["127.0.0.1"] for name in ("a", "b", "c", "d")}
FAULTS = "SELECT fault, count(*) AS n FROM attempts GROUP BY fault"


@pytest.fixture
def rt(open_runtime: OpenRuntime) -> Runtime:
    return open_runtime(resolve=HOSTS)


def source(rt: Runtime, *, has_answered: bool, at: str = "now") -> None:
    """A source that was asked a minute ago."""
    rows(
        rt,
        "UPDATE sources SET address = 'https://um.example/rss', last_checked_at = :at, last_status = :status"
        " RETURNING id",
        at=rt.clock.now() - timedelta(minutes=1 if at == "now" else 60), status=200 if has_answered else None,
    )  # fmt: skip


def call_dead_hosts(rt: Runtime, number: int = 3) -> str:
    """Events for endpoints at which nobody listens; the first one's id."""
    made = [listener(rt, f"http://{host}:9/hook") for host in list(HOSTS)[:number]]
    publish(rt, *[draft(f"n-{n}") for n in range(6)])
    match.run(rt)
    return made[0].endpoint.uid


def test_a_dead_line_is_our_fault_and_nobodys_health_suffers(rt: Runtime) -> None:
    uid = call_dead_hosts(rt)
    source(rt, has_answered=False)
    deliver.run_webhooks(rt)
    assert counts(rt, FAULTS) == {"ours": 18}
    view = endpoints.show(rt, None, uid)
    assert (view.health, view.failures) == ("healthy", 0)
    (attempt,) = calls.deliveries(rt, None, uid, limit=1).items[0].attempts
    assert attempt.words == "our own line was down: no fault of yours, it is tried again"


@pytest.mark.parametrize("case", ["the sources answer", "no source", "long ago"])
def test_dead_endpoints_are_told_so(rt: Runtime, case: str) -> None:
    uid = call_dead_hosts(rt)
    if case != "no source":
        source(rt, has_answered=case == "the sources answer", at="now" if case != "long ago" else "long ago")
    deliver.run_webhooks(rt)
    assert "ours" not in counts(rt, FAULTS)
    assert endpoints.show(rt, None, uid).health == "degraded"


def test_two_silent_hosts_prove_nothing(rt: Runtime) -> None:
    uid = call_dead_hosts(rt, 2)
    source(rt, has_answered=False)
    deliver.run_webhooks(rt)
    assert counts(rt, FAULTS) == {"network": 12}
    assert endpoints.show(rt, None, uid).health == "degraded"


def test_what_waited_for_the_line_goes_by_its_schedule(
    rt: Runtime, receiver: WebDouble, clock: FrozenClock
) -> None:
    call_dead_hosts(rt)
    source(rt, has_answered=False)
    deliver.run_webhooks(rt)
    rows(rt, "UPDATE endpoints SET url = :url RETURNING id", url=receiver.url("/hook"))
    clock.advance(timedelta(seconds=10))
    deliver.run_webhooks(rt)
    assert only(rt, "SELECT count(*) AS n FROM deliveries WHERE state = 'sent'")["n"] == 18
