import re
from datetime import timedelta

import pytest

from services.clock import FrozenClock
from services.domain import links, seal, tokens
from services.errors import BadInput, NotFound, QueryError
from services.manage import subscribers
from services.manage.subscriptions import Wish
from services.runtime import Runtime
from services.storage import subscribers as store
from tests import factories

ANNA = "anna@mail.example"
CALLS = [Wish("kind:call", "Nabory")]


def sign_up(rt: Runtime, email: str = ANNA, *wishes: Wish, **given: object) -> str:
    """Sign up; the token of the letter that came of it."""
    subscribers.sign_up(rt, email=email, interests=wishes or CALLS, **given)  # type: ignore[arg-type]
    url = factories.rows(rt, "SELECT slots FROM issues WHERE kind = 'confirm' ORDER BY id")[-1]["slots"]
    return str(url["confirm_url"]).rpartition("/")[2]


def actions(rt: Runtime) -> list[str]:
    return [row["action"] for row in factories.rows(rt, "SELECT action FROM consents ORDER BY id")]


def letters(rt: Runtime) -> int:
    return len(factories.rows(rt, "SELECT id FROM issues WHERE kind = 'confirm'"))


def test_nothing_is_subscribed_to_before_the_button_is_pressed(rt: Runtime) -> None:
    sign_up(rt)
    found = subscribers.show(rt, ANNA)
    assert (found.state, found.subscriptions) == ("pending", ())
    assert factories.rows(rt, "SELECT * FROM interests") == []


def test_the_button_makes_a_subscriber_with_what_was_asked_for(rt: Runtime) -> None:
    token = sign_up(
        rt, "Anna@Mail.Example", Wish(" kind:call ", "Nabory", "daily@7:00"), timezone="Europe/Rome"
    )
    found = subscribers.confirm(rt, token)
    assert (found.email, found.state, found.timezone) == (ANNA, "active", "Europe/Rome")
    [one] = found.subscriptions
    assert (one.label, one.canonical, one.cadence) == ("Nabory", "kind:call", "daily@07:00")
    assert actions(rt) == ["sign_up", "confirm"]
    assert factories.only(rt, "SELECT cadence FROM rhythms")["cadence"] == "daily@07:00"


def test_the_button_pressed_twice_changes_nothing(rt: Runtime) -> None:
    token = sign_up(rt)
    first = subscribers.confirm(rt, token)
    assert subscribers.confirm(rt, token) == first
    assert actions(rt) == ["sign_up", "confirm"]
    assert len(factories.rows(rt, "SELECT id FROM issues WHERE kind = 'welcome'")) == 1


def test_a_letter_of_confirmation_is_on_its_way_and_its_body_lets_nobody_in(rt: Runtime) -> None:
    token = sign_up(rt)
    assert factories.only(rt, "SELECT channel, state FROM deliveries") == {
        "channel": "email",
        "state": "pending",
    }
    body = factories.only(rt, "SELECT text, html FROM contents")
    assert token not in body["text"]
    assert token not in body["html"]
    assert "Nabory" in body["text"]


def test_two_people_share_the_body_of_their_letters(rt: Runtime) -> None:
    sign_up(rt)
    sign_up(rt, "jan@mail.example")
    assert len(factories.rows(rt, "SELECT hash FROM contents")) == 1


def test_a_stranger_cannot_change_what_a_subscriber_gets(rt: Runtime) -> None:
    factories.reader(rt, ANNA, "kind:call")
    sign_up(rt, ANNA, Wish("kind:job"), locale="en")
    found = subscribers.show(rt, ANNA)
    assert [s.canonical for s in found.subscriptions] == ["kind:call"]
    assert (found.state, found.locale) == ("active", "pl")


def test_a_subscriber_who_signs_up_again_gets_the_new_interests_too(rt: Runtime) -> None:
    factories.reader(rt, ANNA, "kind:call")
    found = subscribers.confirm(rt, sign_up(rt, ANNA, Wish("kind:job"), Wish("kind:call")))
    assert [s.canonical for s in found.subscriptions] == ["kind:call", "kind:job"]


def test_an_address_gets_at_most_three_letters_in_a_day(rt: Runtime, clock: FrozenClock) -> None:
    for _ in range(5):
        sign_up(rt)
    assert letters(rt) == 3
    clock.advance(timedelta(hours=25))
    sign_up(rt)
    assert letters(rt) == 4


def test_a_suppressed_address_gets_no_letter(rt: Runtime) -> None:
    digest = seal.email_hash(rt.settings.secret_key, ANNA)
    with rt.begin() as session:
        store.suppress(session, email_hash=digest, reason="complaint", detail=None, at=rt.clock.now())
    subscribers.sign_up(rt, email=ANNA, interests=CALLS)
    assert letters(rt) == 0
    assert subscribers.allow_again(rt, ANNA)
    subscribers.sign_up(rt, email=ANNA, interests=CALLS)
    assert letters(rt) == 1


def test_a_link_runs_out_after_seven_days(rt: Runtime, clock: FrozenClock) -> None:
    token = sign_up(rt)
    clock.advance(timedelta(days=7))
    with pytest.raises(BadInput, match="no longer valid"):
        subscribers.confirm(rt, token)


def test_a_token_for_something_else_confirms_nothing(rt: Runtime) -> None:
    sign_up(rt)
    token = tokens.sign(rt.settings.secret_key, links.MANAGE, {"s": subscribers.show(rt, ANNA).id})
    with pytest.raises(BadInput):
        subscribers.confirm(rt, token)


def test_looking_at_the_confirmation_changes_nothing(rt: Runtime) -> None:
    token = sign_up(rt)
    assert subscribers.look_at_confirmation(rt, token) == ("Nabory",)
    assert subscribers.show(rt, ANNA).state == "pending"


@pytest.mark.parametrize(
    "wrong",
    [
        {"email": "anna"},
        {"email": "anna@mail.example\nBcc: x@y.example"},
        {"interests": []},
        {"interests": [Wish("kind:call", cadence="sometimes")]},
        {"locale": "de"},
        {"timezone": "Europe/Atlantis"},
        {"timezone": "../../etc/passwd"},
    ],
)
def test_a_sign_up_that_cannot_be_is_refused(rt: Runtime, wrong: dict[str, object]) -> None:
    with pytest.raises(BadInput):
        subscribers.sign_up(rt, **{"email": ANNA, "interests": CALLS, **wrong})  # type: ignore[arg-type]
    assert factories.rows(rt, "SELECT id FROM subscribers") == []


def test_a_wrong_query_is_told_with_its_place(rt: Runtime) -> None:
    with pytest.raises(QueryError) as told:
        subscribers.sign_up(rt, email=ANNA, interests=[Wish("kind:call (")])
    assert told.value.column > 1


def test_commercial_consent_is_given_by_the_button_and_written_down(rt: Runtime) -> None:
    token = sign_up(rt, commercial=True)
    assert not subscribers.show(rt, ANNA).commercial
    found = subscribers.confirm(rt, token)
    assert found.commercial
    subscribers.set_commercial(rt, found.id, False)
    subscribers.set_commercial(rt, found.id, False)
    assert actions(rt) == ["sign_up", "confirm", "commercial_on", "commercial_off"]


def test_who_leaves_has_nothing_left_and_may_come_back(rt: Runtime) -> None:
    found = factories.reader(rt, ANNA, "kind:call", cadence="daily@07:00")
    subscribers.leave(rt, found.id)
    subscribers.leave(rt, found.id)
    assert subscribers.show(rt, ANNA).state == "left"
    assert factories.rows(rt, "SELECT id FROM subscriptions UNION SELECT id FROM rhythms") == []
    assert actions(rt) == ["confirm", "leave"]
    assert subscribers.confirm(rt, sign_up(rt)).state == "active"


def test_erasing_leaves_only_the_ledger_with_a_keyed_hash(rt: Runtime) -> None:
    factories.publish(rt)
    found = factories.reader(rt, ANNA, "kind:call")
    sign_up(rt)
    factories.carry(rt)
    subscribers.erase(rt, found.id)
    with pytest.raises(NotFound):
        subscribers.show(rt, ANNA)
    for table in ("subscribers", "subscriptions", "issues", "deliveries", "candidates", "rhythms"):
        assert factories.rows(rt, f"SELECT * FROM {table}") == [], table
    assert actions(rt)[-1] == "erase"
    everything = factories.rows(rt, "SELECT * FROM consents"), factories.rows(rt, "SELECT * FROM audit_lines")
    assert not re.search("anna", str(everything), re.IGNORECASE)


def test_the_consent_ledger_refuses_changes(rt: Runtime) -> None:
    factories.reader(rt)
    with pytest.raises(Exception, match="append-only"):
        factories.rows(rt, "DELETE FROM consents RETURNING id")


def test_erasing_with_suppression_keeps_others_from_signing_them_up(rt: Runtime) -> None:
    factories.reader(rt, ANNA)
    subscribers.erase(rt, ANNA, suppress=True)
    subscribers.sign_up(rt, email=ANNA, interests=CALLS)
    assert factories.rows(rt, "SELECT id FROM subscribers") == []


def test_an_export_holds_everything_kept(rt: Runtime) -> None:
    factories.publish(rt)
    factories.reader(rt, ANNA, "kind:call")
    factories.carry(rt)
    export = subscribers.export(rt, ANNA)
    assert export["email"] == ANNA
    assert export["subscriptions"][0]["canonical"] == "kind:call"
    assert [c["action"] for c in export["consents"]] == ["confirm"]


def test_sign_ups_that_nobody_confirmed_are_forgotten(rt: Runtime, clock: FrozenClock) -> None:
    sign_up(rt)
    factories.reader(rt, "jan@mail.example")
    clock.advance(timedelta(days=7))
    assert subscribers.forget_unconfirmed(rt) == 0
    clock.advance(timedelta(days=2))
    assert subscribers.forget_unconfirmed(rt) == 1
    assert len(factories.rows(rt, "SELECT id FROM subscribers")) == 1


def test_a_pause_ends_in_the_future_and_can_be_ended(rt: Runtime, clock: FrozenClock) -> None:
    found = factories.reader(rt)
    until = clock.now() + timedelta(days=3)
    assert subscribers.pause(rt, found.id, until).paused_until == until
    assert subscribers.resume(rt, found.id).paused_until is None
    with pytest.raises(BadInput):
        subscribers.pause(rt, found.id, clock.now())


def test_another_zone_moves_the_hour_of_the_digest(rt: Runtime) -> None:
    found = factories.reader(rt, ANNA, "kind:call", cadence="daily@07:00")
    before = factories.only(rt, "SELECT due_at FROM rhythms")["due_at"]
    subscribers.set_timezone(rt, found.id, "Europe/London")
    after = factories.only(rt, "SELECT due_at FROM rhythms")["due_at"]
    assert after - before == timedelta(hours=1)
