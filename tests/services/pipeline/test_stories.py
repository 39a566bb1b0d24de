"""The same news told by several institutions is one story; different news never is."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from services.domain.drafts import Draft
from services.domain.likeness import Sketch, is_same
from services.interests.text import Analyser
from services.pipeline.likeness import sketch
from services.runtime import Runtime
from tests.factories import only, publish, rows, withdraw

SAMPLES = Path(__file__).resolve().parents[3] / "services" / "cli" / "demo" / "notices.json"
ANALYSER = Analyser()
PAIRS = json.loads(Path(__file__).with_name("story_pairs.json").read_text(encoding="utf-8"))
RELEASE = """Samorząd województwa uruchomił nowy program wsparcia małych przedsiębiorstw, które chcą wdrożyć
rozwiązania oparte na sztucznej inteligencji w produkcji i logistyce. Wnioski przyjmuje regionalna agencja,
a pomoc obejmuje doradztwo, szkolenia pracowników oraz zakup oprogramowania i niezbędnych urządzeń. Pierwsze
spotkanie informacyjne odbędzie się w parku technologicznym, gdzie eksperci opowiedzą o dobrych praktykach
z podobnych zakładów. Nabór potrwa do 15 grudnia, a na jedną firmę przypada najwyżej 200 000 zł dotacji."""
FOOTER = (
    " Więcej informacji udziela biuro prasowe urzędu pod numerem telefonu podanym na stronie kontaktowej."
)


def told(key: str, text: str, title: str = "Program wsparcia", **given: object) -> Draft:
    return replace(Draft(key=key, title=title, body_html=f"<p>{text}</p>"), **given)  # type: ignore[arg-type]


def stories(rt: Runtime) -> int:
    return int(only(rt, "SELECT count(DISTINCT story_id) AS n FROM notices")["n"])


def one_and_other(rt: Runtime, one: Draft, other: Draft) -> int:
    publish(rt, one, name="Urząd Marszałkowski")
    publish(rt, other, name="Park Technologiczny")
    return stories(rt)


@pytest.mark.parametrize(
    "copy",
    [
        RELEASE,
        RELEASE + FOOTER,
        "Zapraszamy do lektury. " + RELEASE.partition(" Pierwsze")[0],  # the lead alone
        RELEASE.replace("nowy program", "kolejny program").replace("eksperci opowiedzą", "praktycy powiedzą"),
        RELEASE.replace("200 000 zł", "200 tys. zł").replace("15 grudnia", "15.12.2026"),
    ],
)
def test_a_copied_release_is_one_story_with_all_its_tellers(rt: Runtime, copy: str) -> None:
    other = told("b", copy, "Firmy dostaną pieniądze na AI")
    assert one_and_other(rt, told("a", RELEASE, url="https://a.example/1"), other) == 1


@pytest.mark.parametrize(
    ("was", "becomes"),
    [
        ("15 grudnia", "20 grudnia"),
        ("200 000 zł", "300 000 zł"),
        ("Nabór potrwa", "Nabór FEKP.02.15-IZ.00-001/26 potrwa"),
    ],
)
def test_another_day_sum_or_number_is_another_story(rt: Runtime, was: str, becomes: str) -> None:
    one = (
        RELEASE.replace("Nabór potrwa", "Nabór FEKP.01.03-IP.01-007/25 potrwa")
        if "FEKP" in becomes
        else RELEASE
    )
    assert one_and_other(rt, told("a", one), told("b", RELEASE.replace(was, becomes))) == 2


def test_one_institution_never_joins_its_own_notices(rt: Runtime) -> None:
    publish(rt, told("a", RELEASE), told("b", RELEASE))
    assert stories(rt) == 2


def test_texts_that_share_only_what_their_sources_always_write_are_apart(rt: Runtime) -> None:
    always = " ".join(RELEASE.split(". ")[:3])
    for name in ("Urząd A", "Urząd B"):
        texts = [f"{always} {name} sprawa {number}" for number in range(3)]
        publish(rt, *[told(f"{n}", text) for n, text in enumerate(texts)], name=name)
    publish(rt, told("c", f"{always} Zupełnie inna wiadomość o remoncie mostu na rzece"), name="Urząd C")
    together = rows(rt, "SELECT story_id FROM notices GROUP BY story_id HAVING count(*) > 2")
    assert not together


def test_a_withdrawn_notice_joins_nobody(rt: Runtime) -> None:
    publish(rt, told("a", RELEASE), name="Urząd Marszałkowski")
    withdraw(rt, "a", name="Urząd Marszałkowski")
    publish(rt, told("b", RELEASE), name="Park Technologiczny")
    assert stories(rt) == 2


def test_short_texts_are_not_joined_by_likeness(rt: Runtime) -> None:
    short = "Zapraszamy na stronę internetową po więcej szczegółów."
    assert one_and_other(rt, told("a", short), told("b", short)) == 2


def sample(number: str) -> Draft:
    found = json.loads(SAMPLES.read_text(encoding="utf-8"))["notices"]
    one = next(notice for notice in found if notice["id"] == f"demo-{number}")
    return Draft(
        key=one["id"], title=one["title"], kind=one["kind"], summary=one["summary"], url=one["url"],
        language=one["language"], places=(one["place"],), topics=tuple(one["topics"]),
        starts_at=datetime.fromisoformat(one["starts_at"]), ends_at=datetime.fromisoformat(one["ends_at"]),
    )  # fmt: skip


def test_the_sample_seminar_told_by_university_and_cluster_is_one_story(rt: Runtime) -> None:
    assert one_and_other(rt, sample("008"), sample("009")) == 1


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: pair["release"]["title"])
def test_a_copied_release_is_one_and_a_sister_of_it_another(pair: dict[str, Any]) -> None:
    """Each as another office copied it, and one of another matter in nearly the same words."""
    release, copy, other = (sketched(pair[which]) for which in ("release", "copy", "other"))
    assert is_same(release, copy)
    assert is_same(copy, release)
    assert not is_same(release, other)
    assert not is_same(copy, other)


def sketched(said: dict[str, str]) -> Sketch:
    draft = Draft(key="k", title=said["title"], body_html=f"<p>{said['text']}</p>", language="pl")
    return sketch(draft, ANALYSER)


STARTS = datetime(2026, 12, 10, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Dzień otwarty Wydziału Chemii", "Dzień otwarty Wydziału Fizyki"),
        ("Dzień otwarty uczelni wyższej – UMK", "Dzień otwarty uczelni wyższej – PBŚ"),
        ("Sesja rady gminy", "Sesja rady gminy"),  # three short words: everybody has one
    ],
)
def test_two_meetings_at_one_time_are_two_stories(rt: Runtime, one: str, other: str) -> None:
    meetings = [Draft(key=title, title=title, kind="meeting", starts_at=STARTS) for title in (one, other)]
    assert one_and_other(rt, *meetings) == 2


def test_all_forty_samples_make_thirty_nine_stories(rt: Runtime) -> None:
    found = json.loads(SAMPLES.read_text(encoding="utf-8"))["notices"]
    for one in found:
        times: dict[str, Any] = {name: datetime.fromisoformat(one[name])
                                 for name in ("starts_at", "ends_at", "deadline_at")
                 if one.get(name)}  # fmt: skip
        publish(
            rt,
            Draft(key=one["id"], title=one["title"], kind=one["kind"], summary=one["summary"],
                  language=one["language"], **times),
            name=one["institution"],
        )  # fmt: skip
    assert stories(rt) == len(found) - 1
