import json
from collections.abc import Iterator
from datetime import timedelta

import pytest

from services.clock import FrozenClock
from services.domain import rotation, signing
from services.errors import AddressRefused, BadInput, Forbidden, NotFound, QueryError
from services.manage import accounts, calls, endpoints
from services.manage.accounts import Principal
from services.runtime import Runtime
from tests import factories
from tests.doubles.web import Answer, WebDouble

URL = "http://127.0.0.1:9/hook"


@pytest.fixture
def web() -> Iterator[WebDouble]:
    with WebDouble() as double:
        double.answer("/hook", Answer(status=204))
        yield double


def principal(rt: Runtime, name: str) -> Principal:
    return accounts.authenticate(rt, accounts.create_key(rt, consumer=name).key)


def test_a_secret_is_shown_once_and_sealed_at_rest(rt: Runtime) -> None:
    made = factories.listener(rt, URL)
    assert made.secret.startswith("whsec_")
    kept = factories.only(rt, "SELECT secrets FROM endpoints")["secrets"]
    assert made.secret not in json.dumps(kept)
    assert rotation.valid_secrets(rt.settings.secret_key, kept, rt.clock.now()) == (made.secret,)


def test_to_others_an_endpoint_does_not_exist(rt: Runtime) -> None:
    mine, other = principal(rt, "mine"), principal(rt, "other")
    uid = endpoints.add(rt, mine, url=URL, query="kind:call").endpoint.uid
    assert endpoints.show(rt, mine, uid).uid == uid
    for call in (endpoints.show, endpoints.delete, endpoints.rotate, calls.test, calls.deliveries):
        with pytest.raises(NotFound):
            call(rt, other, uid)
    assert endpoints.list_for(rt, other) == []


def test_an_operator_sees_all_endpoints_and_an_institution_none(rt: Runtime) -> None:
    factories.listener(rt, URL)
    operator = accounts.authenticate(rt, accounts.create_key(rt, operator=True).key)
    assert len(endpoints.list_for(rt, operator)) == len(endpoints.list_for(rt, None)) == 1
    slug = factories.institution(rt)
    institution = accounts.authenticate(rt, accounts.create_key(rt, institution=slug).key)
    assert endpoints.list_for(rt, institution) == []
    with pytest.raises(Forbidden):
        endpoints.add(rt, institution, url=URL, query="kind:call")


@pytest.mark.parametrize("url", ["http://169.254.169.254/", "ftp://example.org/", "http://10.1.2.3/", "x"])
def test_an_address_that_must_not_be_dialled_is_refused_at_once(rt: Runtime, url: str) -> None:
    with pytest.raises(AddressRefused):
        factories.listener(rt, url)
    uid = factories.listener(rt, URL).endpoint.uid
    with pytest.raises(AddressRefused):
        endpoints.patch(rt, None, uid, url=url)


def test_a_wrong_query_or_format_is_refused(rt: Runtime) -> None:
    with pytest.raises(QueryError):
        factories.listener(rt, URL, "kind:")
    with pytest.raises(BadInput, match="format"):
        factories.listener(rt, URL, format="soap")
    assert endpoints.list_for(rt, None) == []


def test_two_endpoints_may_ask_for_the_same(rt: Runtime) -> None:
    factories.listener(rt, URL)
    factories.listener(rt, URL)
    assert len(factories.rows(rt, "SELECT id FROM interests")) == 1


def test_changes_are_kept_and_activating_forgets_failures(rt: Runtime) -> None:
    uid = factories.listener(rt, URL).endpoint.uid
    factories.rows(rt, "UPDATE endpoints SET failures = 7, state = 'disabled' RETURNING id")
    changed = endpoints.patch(
        rt, None, uid, query="kind:job", label="Praca", format="cloudevents", state="active"
    )
    assert (changed.canonical, changed.label, changed.format) == ("kind:job", "Praca", "cloudevents")
    assert (changed.state, changed.failures) == ("active", 0)
    assert endpoints.patch(rt, None, uid, state="paused").state == "paused"
    with pytest.raises(BadInput):
        endpoints.patch(rt, None, uid, state="disabled")


def test_after_a_rotation_both_secrets_sign_until_the_overlap_ends(rt: Runtime, clock: FrozenClock) -> None:
    made = factories.listener(rt, URL)
    new = endpoints.rotate(rt, None, made.endpoint.uid, overlap_hours=2).secret
    kept = factories.only(rt, "SELECT secrets FROM endpoints")["secrets"]
    key = rt.settings.secret_key
    assert rotation.valid_secrets(key, kept, clock.now()) == (new, made.secret)
    assert rotation.valid_secrets(key, kept, clock.now() + timedelta(hours=2)) == (new,)
    with pytest.raises(BadInput):
        endpoints.rotate(rt, None, made.endpoint.uid, overlap_hours=169)


def test_a_test_event_is_signed_and_its_answer_told(rt: Runtime, web: WebDouble) -> None:
    made = factories.listener(rt, web.url("/hook"))
    outcome = calls.test(rt, None, made.endpoint.uid)
    assert (outcome.is_ok, outcome.status) == (True, 204)
    [call] = web.received
    signing.verify(
        [made.secret],
        message_id=call.headers["webhook-id"],
        timestamp=call.headers["webhook-timestamp"],
        signatures=call.headers["webhook-signature"],
        body=call.body,
        now=rt.clock.now(),
    )
    assert json.loads(call.body)["type"] == "pl.goniec.test.v1"
    web.answer("/hook", Answer(status=500))
    assert calls.test(rt, None, made.endpoint.uid).is_ok is False


def test_deliveries_are_told_with_their_attempts_page_by_page(rt: Runtime, web: WebDouble) -> None:
    made = factories.listener(rt, web.url("/hook"))
    factories.publish(rt, *(factories.draft(f"n-{n}") for n in range(3)))
    factories.carry(rt)
    first = calls.deliveries(rt, None, made.endpoint.uid, limit=2)
    second = calls.deliveries(rt, None, made.endpoint.uid, limit=2, after=first.next)
    assert (len(first.items), len(second.items), second.next) == (2, 1, None)
    assert {d.state for d in first.items} == {"sent"}
    assert [a.status for a in first.items[0].attempts] == [204]
    assert first.items[0].id in {call.headers["webhook-id"] for call in web.received}


@pytest.mark.parametrize("cursor", ["x", "-1", "9" * 30, "１"])
def test_a_cursor_that_is_not_ours_is_refused(rt: Runtime, cursor: str) -> None:
    uid = factories.listener(rt, URL).endpoint.uid
    with pytest.raises(BadInput):
        calls.deliveries(rt, None, uid, after=cursor)


def test_a_deleted_endpoint_takes_its_deliveries_along_and_matchers_hear_of_it(
    rt: Runtime, web: WebDouble
) -> None:
    made = factories.listener(rt, web.url("/hook"))
    factories.publish(rt)
    factories.carry(rt)
    endpoints.delete(rt, None, made.endpoint.uid)
    assert factories.rows(rt, "SELECT id FROM deliveries") == []
    assert len(factories.rows(rt, "SELECT id FROM interest_changes")) == 2


def test_an_attempt_tells_its_phases_what_was_dialled_and_whose_fault_it_was(
    rt: Runtime, web: WebDouble
) -> None:
    web.answer("/hook", Answer(status=500, body="zły dzień\x00".encode(), delay_s=0.05))
    made = factories.listener(rt, web.url("/hook"))
    factories.publish(rt)
    factories.carry(rt)
    ((attempt,),) = [one.attempts for one in calls.deliveries(rt, None, made.endpoint.uid).items]
    assert (attempt.address, attempt.fault, attempt.status) == ("127.0.0.1", "theirs", 500)
    assert attempt.answer == "zły dzień"
    assert attempt.words == "it failed while it worked on the call: see its own log"
    assert attempt.phases is not None
    assert attempt.phases["wait"] >= 50
