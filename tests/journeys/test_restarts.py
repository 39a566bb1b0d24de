"""The restart matrix plans what it says and can fail; the rounds themselves are `make chaos`."""

from dataclasses import replace

import pytest

from tests.journeys.restarts import ENDS, FIRST_AFTER, Round, plan


def test_a_seed_gives_its_moments_again_and_each_end_comes_in_every_round() -> None:
    planned = plan(20, 3_000, seed=7)
    assert planned == plan(20, 3_000, seed=7) != plan(20, 3_000, seed=8)
    assert [one.end for one in planned] == [*ENDS] * 20
    assert planned[0].after == planned[1].after == FIRST_AFTER
    assert all(0 < one.after < one.readers for one in planned)
    assert sum(one.hung_up > 0 for one in planned) == 2 * 5


KEPT = Round("SIGTERM", 350, 3_000, in_flight=40)


@pytest.mark.parametrize(
    ("one", "is_kept"),
    [
        (KEPT, True),
        (replace(KEPT, lost=1), False),
        (replace(KEPT, doubled=1), False),
        (replace(KEPT, doubled=20, hung_up=20), True),
        (replace(KEPT, end="SIGKILL", doubled=40), True),
        (replace(KEPT, end="SIGKILL", doubled=41), False),
        (replace(KEPT, end="SIGKILL", doubled=60, hung_up=20), True),
        (replace(KEPT, fault="AssertionError: not within 60 s"), False),
    ],
)
def test_a_round_is_kept_only_within_its_promise(one: Round, is_kept: bool) -> None:
    assert one.is_kept is is_kept
