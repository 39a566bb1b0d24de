"""An endpoint that fails is given less, one that recovers is given more, and neither happens at a cliff."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.domain import health
from services.domain.health import FULL_QUOTA, Answers, Health, Standing

NOW = datetime(2026, 11, 24, 6, 30, tzinfo=UTC)
OK, BAD = Answers(taken=1), Answers(failed=1)


def failing(times: int, *, apart: timedelta = timedelta(minutes=1)) -> tuple[Standing, datetime]:
    stands, now = Standing(), NOW
    for _ in range(times):
        stands = health.after(stands, BAD, now)
        now += apart
    return stands, now


def test_a_few_failures_change_nothing() -> None:
    stands, _ = failing(4)
    assert (stands.health, stands.quota, stands.failures) == (Health.HEALTHY, FULL_QUOTA, 4)
    assert health.after(stands, OK, NOW) == Standing()


def test_who_goes_on_failing_gets_a_trickle_then_probes_then_nothing() -> None:
    stands, now = failing(5)
    assert (stands.health, stands.quota) == (Health.DEGRADED, 1)
    assert stands.next_at == now - timedelta(minutes=1) + health.TRICKLE_EVERY
    stands = health.after(stands, BAD, NOW + health.PAUSED_AFTER)
    assert (stands.health, stands.next_at) == (
        Health.PAUSED,
        NOW + health.PAUSED_AFTER + health.PROBE_EVERY,
    )
    stands = health.after(stands, BAD, NOW + health.DISABLED_AFTER)
    assert stands.health is Health.DISABLED
    assert health.after(stands, OK, NOW).health is Health.DISABLED


@pytest.mark.parametrize("start", [Health.DEGRADED, Health.PAUSED])
def test_one_success_begins_a_recovery_that_grows_to_the_whole(start: Health) -> None:
    stands = Standing(start, 1, 40, NOW - timedelta(hours=5), NOW)
    quotas = []
    while (stands := health.after(stands, Answers(taken=stands.quota), NOW)).health is Health.RECOVERING:
        quotas.append(stands.quota)
    assert quotas == [2, 4, 8]
    assert stands == Standing()


def test_a_failure_while_recovering_leads_back_to_the_trickle() -> None:
    stands = health.after(Standing(Health.RECOVERING, 8), BAD, NOW)
    assert (stands.health, stands.quota) == (Health.DEGRADED, 1)


def test_being_asked_to_wait_is_no_failure_and_goes_on_through_successes() -> None:
    stands = health.after(Standing(), Answers(wait_s=90), NOW)
    assert (stands.health, stands.failures, stands.next_at) == (
        Health.HEALTHY, 0, NOW + timedelta(seconds=90),
    )  # fmt: skip
    assert health.after(stands, OK, NOW).next_at == NOW + timedelta(seconds=90)


def test_gone_is_disabled_at_once() -> None:
    assert health.after(Standing(), Answers(failed=1, is_gone=True), NOW).health is Health.DISABLED


def test_the_owner_is_told_at_each_mark_once() -> None:
    told, stands = [], Standing()
    for hour in range(0, 121, 6):
        now = NOW + timedelta(hours=hour)
        stands = health.after(stands, BAD, now)
        if (mark := health.warning_due(stands, now)) is not None:
            told.append((hour, mark))
            stands = replace(stands, warned_at=mark)
    assert told == [(60, 50), (84, 70), (108, 90)]


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5), st.integers(0, 7200)), max_size=60))
def test_whatever_comes_the_standing_is_a_sound_one(steps: list[tuple[int, int, int]]) -> None:
    stands, now = Standing(), NOW
    for taken, failed, seconds in steps:
        now += timedelta(seconds=seconds)
        stands = health.after(stands, Answers(taken=taken, failed=failed), now)
        assert 1 <= stands.quota <= FULL_QUOTA
        assert (stands.health is Health.HEALTHY) == (stands.quota == FULL_QUOTA)
        assert (stands.failing_since is None) == (stands.failures == 0)
