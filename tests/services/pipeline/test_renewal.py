"""After a change of how words are read, sketches are read anew; meanwhile no story is missed."""

from collections.abc import Sequence
from dataclasses import replace
from zlib import crc32

import pytest
from sqlalchemy import RowMapping

from services.errors import Unavailable
from services.interests.polish import Readings, dictionary
from services.interests.text import Analyser
from services.pipeline import renewal
from services.runtime import Runtime
from services.storage import stories
from tests.factories import only, publish, rows
from tests.services.pipeline.test_stories import FOOTER, RELEASE, told

pytestmark = pytest.mark.skipif(dictionary() is None, reason="morfeusz2 is not installed here")


NOTHING = Readings(frozenset(), frozenset(), frozenset(), is_function=False)


class Smaller:
    """A dictionary of an earlier year: one word in twenty is not in it yet."""

    name = "smaller"

    def __init__(self) -> None:
        found = dictionary()
        assert found is not None
        self._all = found

    def readings(self, form: str) -> Readings:
        is_known = crc32(form.encode()) % 20 != 0
        return self._all.readings(form) if is_known else NOTHING


def earlier(rt: Runtime) -> Runtime:
    """The same house with an analyser of another version."""
    return replace(rt, analyser=Analyser(lexicon=Smaller()))


def sketches(rt: Runtime) -> Sequence[RowMapping]:
    return rows(rt, "SELECT analyser, indexed, sketch FROM sketches ORDER BY notice_id")


def others(rt: Runtime) -> int:
    return sum(one["analyser"] != rt.analyser.name for one in sketches(rt))


def test_a_sketch_that_is_read_anew_is_as_if_it_were_made_now(rt: Runtime) -> None:
    publish(earlier(rt), told("a", RELEASE, "Sesja: nowe dotacje unijne dla firm"), name="Urząd")
    assert not renewal.renew(rt)
    (renewed,) = sketches(rt)

    publish(rt, told("b", RELEASE, "Sesja: nowe dotacje unijne dla firm"), name="Park")
    assert sketches(rt)[1] == renewed


def test_another_dictionary_makes_other_sketches(rt: Runtime) -> None:
    publish(earlier(rt), told("a", RELEASE), name="Urząd")
    (before,) = sketches(rt)
    renewal.renew(rt)
    (after,) = sketches(rt)
    assert before["indexed"] != after["indexed"]


def test_a_copy_is_known_before_while_and_after(rt: Runtime) -> None:
    publish(earlier(rt), told("a", RELEASE), name="Urząd Marszałkowski")
    publish(earlier(rt), told("b", RELEASE + FOOTER), name="Park Technologiczny")
    publish(rt, told("c", RELEASE), name="Powiat")
    renewal.renew(rt)
    publish(rt, told("d", RELEASE + FOOTER), name="Uczelnia")

    assert only(rt, "SELECT count(DISTINCT story_id) AS n FROM notices")["n"] == 1


def test_it_goes_in_batches_and_ends(rt: Runtime) -> None:
    publish(earlier(rt), *(told(str(number), f"{RELEASE} {number}") for number in range(5)))

    assert renewal.renew(rt, limit=2)
    assert others(rt) == 3
    assert renewal.renew(rt, limit=2)
    assert not renewal.renew(rt, limit=2)
    assert others(rt) == 0
    assert not renewal.renew(rt)


def test_a_kill_in_the_middle_loses_one_batch_that_is_taken_again(rt: Runtime) -> None:
    publish(earlier(rt), *(told(str(number), f"{RELEASE} {number}") for number in range(4)))
    renewal.renew(rt, limit=2)

    def die() -> None:
        with rt.begin() as session:
            old = stories.read_by_others(session, rt.analyser.name, limit=2)
            stories.renew(session, {one.notice_id: one.sketch for one in old}, by=rt.analyser.name)
            raise Unavailable("killed")

    with pytest.raises(Unavailable):
        die()

    assert others(rt) == 2
    while renewal.renew(rt, limit=2):
        pass
    assert others(rt) == 0


def test_two_at_once_share_the_work(rt: Runtime) -> None:
    publish(earlier(rt), *(told(str(number), f"{RELEASE} {number}") for number in range(3)))
    with rt.begin() as session:
        assert len(stories.read_by_others(session, rt.analyser.name, limit=2)) == 2
        renewal.renew(rt)
        assert others(rt) == 2
