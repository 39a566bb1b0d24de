"""A short form of the kill matrix (`make chaos` is the whole): nothing lost, nothing late, little doubled."""

from collections.abc import Iterator

import pytest

from tests.doubles.smtp import SmtpSink
from tests.journeys.chaos import WITHIN_S, Town, disturb, town
from tests.journeys.house import House


@pytest.fixture(scope="module")
def place(house: House, mail_server: SmtpSink) -> Iterator[Town]:
    with town(house, mail_server, readers=260, endpoints=60) as filled:
        yield filled


@pytest.mark.parametrize("deed", ["SIGTERM to a worker", "FLUSHALL", "PostgreSQL restarted"])
def test_whatever_happens_in_mid_delivery_everything_arrives_once(place: Town, deed: str) -> None:
    toll = disturb(place, deed)

    assert (toll.lost, toll.doubled) == (0, 0), toll
    assert toll.slowest_s < WITHIN_S


def test_a_worker_killed_in_mid_delivery_doubles_at_most_what_was_in_flight(place: Town) -> None:
    toll = disturb(place, "kill -9 of a worker")

    assert toll.lost == 0
    assert toll.doubled <= toll.in_flight
    assert toll.slowest_s < WITHIN_S


def test_a_house_that_is_ended_and_started_in_mid_delivery_loses_and_doubles_nothing(place: Town) -> None:
    toll = disturb(place, "SIGTERM to everything")

    assert (toll.lost, toll.doubled) == (0, 0), toll
