"""What the guide to WebSub says is so."""

import re
from urllib.parse import quote

from starlette.testclient import TestClient

from services.api.app import make_app
from services.channels import websub as channel
from services.domain import source_hubs, websub
from services.manage import hub
from services.pipeline import hub as stage
from services.syndication.forms import FORMATS
from tests.conftest import OpenRuntime
from tests.docs import guides
from tests.docs.test_calls import play


def test_the_calls_to_the_hub_answer_as_claimed(open_runtime: OpenRuntime) -> None:
    rt = open_runtime(resolve={"hooks.example": ["127.0.0.1"]})
    topic = quote(f"{rt.settings.base_url}/feeds/notices.atom?q=kind%3Acall", safe="")
    with TestClient(make_app(rt)) as client:
        assert play("websub.md", client, {"$TOPIC": topic}) == 1


def test_the_figures_of_the_hub_are_those_of_the_code() -> None:
    text = " ".join(guides.read("websub.md").split())
    assert f"{websub.USUAL_LEASE_S // 86_400} days if you say nothing" in text
    assert (websub.MIN_LEASE_S, websub.MAX_LEASE_S) == (3_600, 30 * 86_400)
    assert f"at most {websub.MAX_SECRET_BYTES} bytes" in text
    assert f"within {channel.TOTAL_TIMEOUT_S:.0f} seconds" in text
    assert f"changes within {stage.REST.seconds} seconds" in text
    assert f"{hub.MAX_ASKED} in ten minutes" in text
    assert hub.ASKED_WITHIN.total_seconds() == 600
    assert set(re.findall(r"`(?:/feeds/notices)?\.(\w+)`", text)) == set(FORMATS)


def test_the_table_of_trust_is_whole() -> None:
    shown = [guides.codes(row[0])[0] for row in guides.rows("websub.md", "| trust |")]
    assert shown == [one.value for one in source_hubs.Trust]
    assert f"until {source_hubs.PROVEN_AGAIN} pushes with news" in guides.read("websub.md")
