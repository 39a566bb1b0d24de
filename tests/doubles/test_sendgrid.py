"""The double of SendGrid refuses what the real service refuses."""

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest

from services.http import Client, Request, Response
from tests.doubles.sendgrid import SendGridDouble

GOOD: dict[str, Any] = {
    "personalizations": [{"to": [{"email": "a@mail.example"}], "custom_args": {"delivery_id": "1"}}],
    "from": {"email": "goniec@goniec.example"},
    "subject": "Nabór",
    "content": [{"type": "text/plain", "value": "x"}, {"type": "text/html", "value": "<p>x"}],
}
Spoil = Callable[[dict[str, Any]], object]
SPOILT: dict[str, Spoil] = {
    "nobody": lambda b: b["personalizations"].clear(),
    "too many": lambda b: b.update(
        personalizations=[{"to": [{"email": f"r{n}@mail.example"}]} for n in range(1_001)]
    ),
    "twice": lambda b: b["personalizations"].append({"to": [{"email": "A@mail.example"}]}),
    "order": lambda b: b["content"].reverse(),
    "empty part": lambda b: b["content"][1].update(value=""),
    "no subject": lambda b: b.update(subject=""),
    "reserved": lambda b: b["personalizations"][0].update(headers={"Reply-To": "x@y.example"}),
    "unknown field": lambda b: b.update(surprise=1),
    "number": lambda b: b["personalizations"][0].update(custom_args={"delivery_id": 1}),
    "sender": lambda b: b["from"].update(email="nobody"),
}


@pytest.mark.parametrize("name", SPOILT)
def test_a_body_that_sendgrid_refuses_is_refused(name: str) -> None:
    with SendGridDouble() as double:
        client = Client("test", guarded=False)
        try:
            for body, status in ((GOOD, 202), (_spoilt(SPOILT[name]), 400)):
                headers = (("Authorization", "Bearer SG.test"), ("Content-Type", "application/json"))
                answer = client.fetch_one(
                    Request(f"{double.host}/v3/mail/send", method="POST", headers=headers,
                            body=json.dumps(body).encode())
                )  # fmt: skip
                assert isinstance(answer, Response)
                assert answer.status == status
        finally:
            client.close()


def _spoilt(spoil: Spoil) -> dict[str, Any]:
    body = copy.deepcopy(GOOD)
    spoil(body)
    return body
