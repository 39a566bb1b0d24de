"""What tests of the hub begin with: a subscriber on loopback that means it, and words to the hub."""

from urllib.parse import parse_qs, urlencode, urlsplit

from starlette.testclient import TestClient

from services.pipeline import hub, match
from services.runtime import Runtime
from tests.doubles.web import Answer, Received, WebDouble
from tests.factories import draft, publish

BASE = "http://goniec.example"
CALLS = f"{BASE}/feeds/notices.atom?{urlencode({'q': 'kind:call'})}"
SECRET = "a secret of theirs"


def asked(received: Received) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(received.path).query).items()}


def agrees(received: Received) -> Answer:
    """A subscriber that means it: the challenge comes back, and what is sent is taken."""
    return Answer(body=asked(received).get("hub.challenge", "").encode())


def ask(client: TestClient, callback: str, mode: str = "subscribe", topic: str = CALLS, **more: str) -> int:
    given = {"hub.mode": mode, "hub.topic": topic, "hub.callback": callback}
    extra = {f"hub.{name}": value for name, value in more.items()}
    return client.post("/hub", data={**given, **extra}).status_code


def tell(rt: Runtime, *keys: str, **given: object) -> None:
    """Notices are published, and whoever follows them is told."""
    publish(rt, *(draft(key, **given) for key in keys))
    match.run(rt)
    hub.run(rt)


def pushed(subscriber: WebDouble) -> list[Received]:
    return [one for one in subscriber.received if one.method == "POST"]


def verified(subscriber: WebDouble) -> list[dict[str, str]]:
    return [asked(one) for one in subscriber.received if one.method == "GET"]
