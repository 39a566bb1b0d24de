"""What tests of the API begin with: clients, keys, a notice or two."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any, Protocol

import pytest
from starlette.testclient import TestClient

from services.api.app import make_app
from services.api.limits import Limits
from services.domain import links
from services.manage import accounts, institutions, subscribers
from services.manage.subscriptions import Wish
from services.runtime import Runtime
from tests.doubles.web import WebDouble
from tests.services.api.following import agrees

FREE = Limits(anonymous=10**6, sign_ups=10**6, previews=10**6, hub=10**6, by_key=10**6, refused_keys=10**6)


class MakeClient(Protocol):
    def __call__(self, *, key: str | None = None, limits: Limits = FREE) -> TestClient: ...


Push = Callable[..., dict[str, Any]]


@pytest.fixture
def make_client(rt: Runtime) -> Iterator[MakeClient]:
    """Clients of the real application; `key` is sent with every request."""
    with ExitStack() as stack:

        def make(*, key: str | None = None, limits: Limits = FREE) -> TestClient:
            headers = {"Authorization": f"Bearer {key}"} if key else {}
            return stack.enter_context(TestClient(make_app(rt, limits=limits), headers=headers))

        yield make


@pytest.fixture
def anyone(make_client: MakeClient) -> TestClient:
    return make_client()


@pytest.fixture
def institution_key(rt: Runtime) -> str:
    made = institutions.add(rt, name="Urząd Marszałkowski", kind="local_government")
    return accounts.create_key(rt, institution=made.slug).key


@pytest.fixture
def institution(make_client: MakeClient, institution_key: str) -> TestClient:
    return make_client(key=institution_key)


@pytest.fixture
def consumer_key(rt: Runtime) -> str:
    return accounts.create_key(rt, consumer="Portal").key


@pytest.fixture
def consumer(make_client: MakeClient, consumer_key: str) -> TestClient:
    return make_client(key=consumer_key)


@pytest.fixture
def operator(rt: Runtime, make_client: MakeClient) -> TestClient:
    return make_client(key=accounts.create_key(rt, operator=True).key)


@pytest.fixture
def subscriber_token(rt: Runtime) -> str:
    person = subscribers.add_confirmed(
        rt, email="reader@example.com", interests=[Wish("topic:funding", "Fundusze", "daily@07:00")]
    )
    return links.manage_token(rt.settings.secret_key, person.id)


@pytest.fixture
def subscriber(make_client: MakeClient, subscriber_token: str) -> TestClient:
    return make_client(key=subscriber_token)


@pytest.fixture
def follower() -> Iterator[WebDouble]:
    """A subscriber of feeds that means what it asks of the hub, and takes what it is sent."""
    with WebDouble() as double:
        double.answer("*", agrees)
        yield double


@pytest.fixture
def push(institution: TestClient) -> Push:
    """Tells a notice and gives the answer; the test states only what it is about."""

    def tell(**given: Any) -> dict[str, Any]:
        notice = {"key": "a", "title": "Nabór na bony", "kind": "call", "topics": ["funding"], **given}
        answer = institution.post("/v1/notices", json=notice)
        assert answer.is_success, answer.text
        told: dict[str, Any] = answer.json()
        return told

    return tell
