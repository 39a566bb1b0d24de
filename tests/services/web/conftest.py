"""What tests of pages begin with: the real application, a browser's manners, a notice, a reader."""

from collections.abc import Callable, Iterator
from typing import Any

import lxml.html
import pytest
from playwright.sync_api import Browser
from starlette.testclient import TestClient

from services.api.app import make_app
from services.api.limits import Limits
from services.domain import links
from services.domain.drafts import Draft
from services.manage import accounts, institutions, sources, subscribers
from services.manage.subscriptions import Wish
from services.pipeline import accept
from services.runtime import Runtime
from tests.services.web.browser import free_socket, running_browser

FREE = Limits(anonymous=10**6, sign_ups=10**6, previews=10**6, by_key=10**6, refused_keys=10**6)
ENGLISH = {"Accept-Language": "en"}

Tell = Callable[..., int]
OpenDoor = Callable[[str], int]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with running_browser() as running:
        yield running


@pytest.fixture
def address() -> Iterator[Any]:
    """Where an application will be served, known before it is made."""
    with free_socket() as listener:
        yield listener


@pytest.fixture
def site(rt: Runtime) -> Iterator[TestClient]:
    """A browser that reads English and follows no redirect by itself."""
    app = make_app(rt, limits=FREE)
    with TestClient(
        app, base_url="http://goniec.example", headers=ENGLISH, follow_redirects=False
    ) as client:  # fmt: skip
        yield client


@pytest.fixture
def open_door(rt: Runtime) -> OpenDoor:
    """Adds an institution by its name and gives the source that its notices come through."""

    def add(name: str) -> int:
        made = institutions.add(rt, name=name, kind="local_government")
        key = accounts.create_key(rt, institution=made.slug).key
        institution_id = accounts.authenticate(rt, key).institution_id
        assert institution_id is not None
        return sources.push_source(rt, institution_id)

    return add


@pytest.fixture
def tell(rt: Runtime, open_door: OpenDoor) -> Tell:
    """Publishes a notice of one institution and gives its id; the test states only what it is about."""
    source_id = open_door("Urząd Marszałkowski")
    usual = {"key": "a", "title": "Nabór na bony", "kind": "call", "topics": ("funding",), "language": "pl"}

    def publish(**given: Any) -> int:
        (done,) = accept.accept(rt, source_id, [Draft(**(usual | given))])
        assert done.notice_id is not None
        return done.notice_id

    return publish


@pytest.fixture
def own_page(rt: Runtime) -> str:
    """The private address of a confirmed reader with one interest."""
    person = subscribers.add_confirmed(
        rt, email="reader@example.com", interests=[Wish("topic:funding", "Fundusze", "daily@07:00")]
    )
    return f"/manage/{links.manage_token(rt.settings.secret_key, person.id)}"


def read(html: str) -> Any:
    """A page as a tree."""
    return lxml.html.document_fromstring(html)


def words(html: str) -> str:
    """What a page says, on one line."""
    return " ".join(read(html).text_content().split())
