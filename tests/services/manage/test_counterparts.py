"""A need finds who offers it and an offer who needs it, by reasons that both can read."""

from datetime import timedelta
from typing import Any

import pytest

from services.clock import FrozenClock
from services.errors import NotFound
from services.manage import counterparts
from services.runtime import Runtime
from tests.factories import draft, institution, publish, withdraw

PAIRS: list[dict[str, Any]] = [
    {"key": "o1", "kind": "offer", "title": "Badania tomograficzne detali z tworzyw i odlewów",
     "summary": "Laboratorium wykona tomografię detali z raportem porowatości.", "audience": ("company",)},
    {"key": "o2", "kind": "offer", "title": "Analiza składu i trwałości przetworów zbożowych",
     "summary": "Testy przechowalnicze i optymalizacja receptur bez konserwantów.", "audience": ("company",)},
    {"key": "o3", "kind": "infrastructure", "title": "Hala i przyłącze 400 kW dla magazynów energii",
     "summary": "Park udostępni halę 250 m² z przyłączem na projekt badawczy.", "audience": ("university",)},
    {"key": "n1", "kind": "need", "title": "Potrzebne badanie porowatości odlewów aluminiowych",
     "summary": "Producent szuka laboratorium do oceny 40 detali miesięcznie.", "audience": ("university",)},
    {"key": "n2", "kind": "need", "title": "Szukamy partnera do wydłużenia trwałości kasz bez konserwantów",
     "summary": "Młyn chce wydłużyć trwałość produktu.", "audience": ("university",)},
    {"key": "n3", "kind": "need", "title": "Zespół szuka miejsca na stanowisko magazynu energii",
     "summary": "Stanowisko wymaga przyłącza i wentylowanej hali.", "audience": ("business_support",)},
]  # fmt: skip


@pytest.fixture
def told(rt: Runtime) -> dict[str, int]:
    """{key: id} of three pairs among notices of other kinds; each from an institution of its own."""
    kinds = {"offer": "university", "infrastructure": "business_support", "need": "company"}
    ids: dict[str, int] = {}
    for one in PAIRS:
        name = f"Instytucja {one['key']}"
        institution(rt, name, kind=kinds[one["kind"]], place="0461011")
        [done] = publish(rt, draft(**one), name=name)
        assert done.notice_id is not None
        ids[one["key"]] = done.notice_id
    publish(rt, draft("x", kind="call", title="Nabór na badanie porowatości odlewów"))
    return ids


@pytest.mark.parametrize("key", ["o1", "o2", "o3", "n1", "n2", "n3"])
def test_each_finds_its_other_half_first(rt: Runtime, told: dict[str, int], key: str) -> None:
    other = ("n" if key[0] == "o" else "o") + key[1]
    found = counterparts.of_notice(rt, told[key])
    assert found[0].notice["key"] == other
    assert {one.notice["kind"] for one in found}.isdisjoint({"call"})


def test_the_reasons_are_words_place_and_audience(rt: Runtime, told: dict[str, int]) -> None:
    best = counterparts.of_notice(rt, told["n1"])[0]
    assert {"odlewów", "porowatości"} <= set(best.words)
    assert (best.place, best.audience) == ("046101", True)


def test_topics_bring_together_what_shares_few_words(rt: Runtime) -> None:
    publish(rt, draft("o", kind="offer", title="Robot", topics=("ict-ai/robotics",)), name="A")
    [need] = publish(rt, draft("n", kind="need", title="Automat", topics=("ict-ai",)), name="B")
    assert need.notice_id is not None
    [found] = counterparts.of_notice(rt, need.notice_id)
    assert (found.topics, found.words) == (("ict-ai",), ())


def test_what_is_withdrawn_over_or_ones_own_answers_nothing(
    rt: Runtime, told: dict[str, int], clock: FrozenClock
) -> None:
    withdraw(rt, "o1", name="Instytucja o1")
    late = clock.now() + timedelta(days=1)
    publish(rt, draft("z", kind="offer", title="Badanie porowatości odlewów", deadline_at=late), name="Z")
    publish(rt, draft("own", kind="offer", title="Badanie porowatości odlewów"), name="Instytucja n1")
    assert [one.notice["key"] for one in counterparts.of_notice(rt, told["n1"])] == ["z"]
    clock.advance(timedelta(days=2))
    assert counterparts.of_notice(rt, told["n1"]) == []
    assert counterparts.of_notice(rt, told["o1"]) == []
    with pytest.raises(NotFound):
        counterparts.of_notice(rt, 999)


@pytest.mark.usefixtures("told")
def test_a_need_that_is_over_is_not_answered(rt: Runtime, clock: FrozenClock) -> None:
    soon = clock.now() + timedelta(days=1)
    need = draft("late", kind="need", title="Badanie porowatości odlewów", deadline_at=soon)
    [done] = publish(rt, need, name="Odlewnia")
    assert done.notice_id is not None
    assert counterparts.of_notice(rt, done.notice_id)
    clock.advance(timedelta(days=1))
    assert counterparts.of_notice(rt, done.notice_id) == []
