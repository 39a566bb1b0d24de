"""The accounts close: per notice and per round, in the tables, the API, the pages and the metrics."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from starlette.testclient import TestClient

from services.api.app import make_app
from services.clock import FrozenClock
from services.domain import links
from services.errors import NotFound
from services.manage import accounts, ledger, subscribers
from services.runtime import Runtime
from tests.factories import carry, draft, many_readers, publish, reader, withdraw

NEXT_MORNING = datetime(2026, 11, 24, 6, 0, tzinfo=UTC)


def accounts_of(rt: Runtime, notice_id: int | None) -> Sequence[ledger.EventLedger]:
    assert notice_id is not None
    return ledger.of_notice(rt, notice_id).items


def world(rt: Runtime, clock: FrozenClock) -> int | None:
    """Six readers of alerts, one of digests, one in a pause, one without commercial consent."""
    many_readers(rt, 6)
    reader(rt, "digest@mail.example", cadence="daily@07:00", commercial=True)
    away = reader(rt, "away@mail.example", commercial=True)
    subscribers.pause(rt, away.id, clock.now() + timedelta(days=30))
    (told,) = publish(rt, draft(commercial=True))
    carry(rt)
    return told.notice_id


def test_everyone_an_event_reached_is_accounted_for(rt: Runtime, clock: FrozenClock) -> None:
    notice = world(rt, clock)
    (one,) = accounts_of(rt, notice)
    assert (one.candidates, one.excluded) == (8, {"no_commercial_consent": 6})
    assert (one.delivered, one.waiting, one.is_closed) == (0, 2, False)

    clock.set(NEXT_MORNING)
    carry(rt)
    clock.set(clock.now() + timedelta(days=30))
    carry(rt)

    (one,) = accounts_of(rt, notice)
    assert (one.delivered, one.waiting, one.on_the_way, one.is_closed) == (2, 0, 0, True)


def test_a_withdrawal_has_accounts_of_its_own(rt: Runtime) -> None:
    many_readers(rt, 3)
    (told,) = publish(rt)
    carry(rt)
    withdraw(rt)
    carry(rt)

    first, second = accounts_of(rt, told.notice_id)
    assert (first.delivered, second.type, second.delivered) == (3, "withdrawn", 3)


def test_every_round_closes_and_says_why_it_left_out(rt: Runtime, clock: FrozenClock) -> None:
    person = reader(rt, "anna@mail.example", "kind:call", "dotacja", cadence="daily@07:00")
    subscribers.set_reach(rt, person.id, quiet_from=None, quiet_until=None, daily_budget=2)
    publish(rt, *(draft(f"n-{number}") for number in range(5)))
    publish(rt, draft("n-0", title="Dotacje inaczej"))
    clock.set(NEXT_MORNING)
    carry(rt)

    (run,) = ledger.runs(rt).items
    assert (run.kind, run.windows, run.issues) == ("digests", 1, 1)
    assert run.candidates == run.issued + sum(run.excluded.values()) + run.waiting == 12
    assert run.excluded == {"superseded": 2}
    assert (run.issued, run.waiting) == (4, 6)


def test_an_unknown_notice_has_no_ledger(rt: Runtime) -> None:
    with pytest.raises(NotFound):
        ledger.of_notice(rt, 99)


def test_the_api_tells_the_operator_and_the_own_institution(rt: Runtime, clock: FrozenClock) -> None:
    notice = world(rt, clock)
    site = TestClient(make_app(rt))
    keys = {
        "operator": accounts.create_key(rt, operator=True).key,
        "own": accounts.create_key(rt, institution="gmina-testowa").key,
    }
    said = {
        name: site.get(f"/v1/ledger/notices/{notice}", headers={"Authorization": f"Bearer {key}"}).json()
        for name, key in keys.items()
    }
    assert said["own"] == said["operator"]
    assert said["own"]["items"][0]["excluded"] == {"no_commercial_consent": 6}
    assert site.get(f"/v1/ledger/notices/{notice}").status_code == 401
    runs = site.get("/v1/ledger/runs", headers={"Authorization": f"Bearer {keys['operator']}"})
    assert runs.json()["items"] == [] or runs.json()["items"][0]["kind"] in ("alerts", "digests")
    own = site.get("/v1/ledger/runs", headers={"Authorization": f"Bearer {keys['own']}"})
    assert own.status_code == 403


def test_pages_show_no_number_that_might_be_somebody(rt: Runtime, clock: FrozenClock) -> None:
    notice = world(rt, clock)
    site = TestClient(make_app(rt))
    page = site.get(f"/notices/{notice}/ledger").text
    assert "<dd>8</dd>" in page
    assert "<dd>&lt; 5</dd>" in page
    clock.set(NEXT_MORNING)
    carry(rt)
    assert "<td>&lt; 5</td>" in site.get("/ledger").text


def test_a_reader_sees_what_was_sent_and_what_waits(rt: Runtime) -> None:
    person = reader(rt, "anna@mail.example", "kind:call")
    reader(rt, "anna@mail.example", "kind:tender", cadence="daily@07:00")
    publish(rt, draft("a", title="Nabór gotowy"), draft("b", kind="tender", title="Przetarg czeka"))
    carry(rt)

    token = links.manage_token(rt.settings.secret_key, person.id)
    page = TestClient(make_app(rt)).get(f"/manage/{token}/letters?lang=en").text
    head, _, waiting = page.partition('id="waiting"')
    assert "Nabór gotowy" in head
    assert "Taken by your mail server" in head
    assert "Przetarg czeka" in waiting
    assert "Przetarg czeka" not in head


def test_the_metric_counts_what_was_issued_and_why_the_rest_was_not(rt: Runtime) -> None:
    reader(rt, "anna@mail.example", "kind:call")
    publish(rt)
    carry(rt)
    shown = rt.metrics.render({}).decode()
    assert 'goniec_candidates_total{outcome="issued",reason=""} 1.0' in shown
