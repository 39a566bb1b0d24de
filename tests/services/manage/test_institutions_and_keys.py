import pytest

from services.errors import BadInput, Conflict, NotFound, Unauthorized
from services.manage import accounts, institutions
from services.runtime import Runtime
from tests import factories


def test_a_slug_is_made_of_the_name_without_diacritics(rt: Runtime) -> None:
    made = institutions.add(rt, name="Urząd Miasta Łódź — Śródmieście", kind="local_government")
    assert made.slug == "urzad-miasta-lodz-srodmiescie"


def test_a_unit_may_bear_the_name_that_another_institution_has(rt: Runtime) -> None:
    first = institutions.add(rt, name="UMK", kind="university")
    faculty = institutions.add(rt, name="Wydział Chemii", kind="university", parent=first.slug)
    other = institutions.add(rt, name="Wydział Chemii", kind="university")
    assert (faculty.slug, other.slug) == ("wydzial-chemii", "wydzial-chemii-2")
    assert institutions.show(rt, faculty.slug).parent == "umk"


def test_the_same_institution_twice_is_a_conflict_that_names_the_first(rt: Runtime) -> None:
    institutions.add(rt, name="UMK", kind="university")
    with pytest.raises(Conflict) as told:
        institutions.add(rt, name=" UMK ", kind="university")
    assert told.value.data["slug"] == "umk"


def test_a_place_is_stored_by_its_code(rt: Runtime) -> None:
    assert institutions.add(rt, name="Urząd", kind="local_government", place="torun").place == "0463011"


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "kingdom"},
        {"place": "Atlantyda"},
        {"url": "javascript:alert(1)"},
        {"name": " \x00 "},
        {"name": "x" * 201},
    ],
)
def test_an_institution_that_cannot_be_is_refused(rt: Runtime, wrong: dict[str, str]) -> None:
    with pytest.raises(BadInput):
        institutions.add(rt, **{"name": "Urząd", "kind": "local_government", **wrong})
    assert institutions.list_all(rt) == []


def test_an_unknown_parent_is_told(rt: Runtime) -> None:
    with pytest.raises(NotFound):
        institutions.add(rt, name="Wydział", kind="university", parent="nobody")


def test_a_key_opens_for_its_owner_and_is_not_stored(rt: Runtime) -> None:
    slug = factories.institution(rt)
    made = accounts.create_key(rt, institution=slug, label="strona")
    assert made.key.startswith("gon_")
    found = accounts.authenticate(rt, made.key)
    assert (found.scope, found.institution_slug, found.consumer_id) == ("institution", slug, None)
    assert made.key not in str(factories.rows(rt, "SELECT * FROM api_keys"))


def test_a_consumer_is_made_with_its_first_key(rt: Runtime) -> None:
    first = accounts.authenticate(rt, accounts.create_key(rt, consumer="Portal").key)
    second = accounts.authenticate(rt, accounts.create_key(rt, consumer="Portal").key)
    assert first.consumer_id == second.consumer_id is not None


@pytest.mark.parametrize("wrong", ["", "gon_", "gon_" + "x" * 40, "Bearer", "gon_\x00\udc80" + "x" * 30])
def test_a_wrong_key_opens_nothing(rt: Runtime, wrong: str) -> None:
    with pytest.raises(Unauthorized):
        accounts.authenticate(rt, wrong)


def test_a_revoked_key_opens_nothing_at_once(rt: Runtime) -> None:
    made = accounts.create_key(rt, operator=True)
    accounts.revoke_key(rt, made.id)
    with pytest.raises(Unauthorized):
        accounts.authenticate(rt, made.key)
    with pytest.raises(NotFound):
        accounts.revoke_key(rt, made.id)
    assert [k.revoked_at for k in accounts.list_keys(rt)] == [rt.clock.now()]


def test_a_key_is_for_exactly_one_owner(rt: Runtime) -> None:
    with pytest.raises(BadInput):
        accounts.create_key(rt)
    with pytest.raises(BadInput):
        accounts.create_key(rt, consumer="x", operator=True)


def test_what_an_operator_does_is_in_the_ledger_without_the_key(rt: Runtime) -> None:
    made = accounts.create_key(rt, institution=factories.institution(rt))
    lines = factories.rows(rt, "SELECT action, actor, target, data FROM audit_lines ORDER BY id")
    assert [line["action"] for line in lines] == ["institution.add", "key.create"]
    assert made.key not in str(lines)
