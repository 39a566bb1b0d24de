"""The verifiers that consumers copy take what Goniec signs, and judge as the standard's own libraries do."""

import base64
import importlib.util
import json
import shutil
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import standardwebhooks
import svix

from services.domain import signing
from tests.docs import guides

EXAMPLES = guides.DOCS / "examples"
HERE = Path(__file__).parent
SECRET, OTHER = signing.new_secret(), signing.new_secret()
PRIVATE, STRANGE = signing.new_private_key(), signing.new_private_key()
PUBLIC = signing.public_key(PRIVATE)
BODY = '{"type":"pl.goniec.notice.published.v1","data":{"title":"Nabór"}}'.encode()
ID = "msg_1"


@dataclass(frozen=True)
class Case:
    """A call as it comes, the receiver's keys, and whether it is to be taken."""

    name: str
    headers: Mapping[str, str]
    body: bytes
    keys: Sequence[str]
    is_right: bool


def signed(*secrets: str, off: timedelta = timedelta(0), **changed: str) -> dict[str, str]:
    at = datetime.now(UTC) + off
    told = {
        "webhook-id": ID,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": signing.sign(secrets, ID, at, BODY),
    }
    return {**told, **{f"webhook-{name}": value for name, value in changed.items()}}


def changed(headers: Mapping[str, str], how: Callable[[str], str]) -> dict[str, str]:
    return {**headers, "webhook-signature": how(headers["webhook-signature"])}


def cases() -> list[Case]:
    good, minutes = signed(SECRET), timedelta(minutes=1)
    return [
        Case("as it is signed", good, BODY, [SECRET], True),
        Case("the new secret of a rotation", signed(OTHER, SECRET), BODY, [OTHER], True),
        Case("the old secret of a rotation", signed(OTHER, SECRET), BODY, [SECRET], True),
        Case("beside an Ed25519 signature", signed(SECRET, PRIVATE), BODY, [SECRET], True),
        Case("four minutes old", signed(SECRET, off=-4 * minutes), BODY, [SECRET], True),
        Case("four minutes early", signed(SECRET, off=4 * minutes), BODY, [SECRET], True),
        Case("six minutes old", signed(SECRET, off=-6 * minutes), BODY, [SECRET], False),
        Case("half an hour early", signed(SECRET, off=30 * minutes), BODY, [SECRET], False),
        Case("another secret", signed(OTHER), BODY, [SECRET], False),
        Case("another body", good, BODY + b" ", [SECRET], False),
        Case("another id", {**good, "webhook-id": "msg_2"}, BODY, [SECRET], False),
        Case("another time", signed(SECRET, timestamp=str(int(time.time()) - 30)), BODY, [SECRET], False),
        Case("a time that is none", signed(SECRET, timestamp="soon"), BODY, [SECRET], False),
        Case("a very long time", signed(SECRET, timestamp="9" * 400), BODY, [SECRET], False),
        Case("no signature", signed(SECRET, signature=""), BODY, [SECRET], False),
        Case("nonsense signatures", signed(SECRET, signature="v1,%% v1 ,, v9,AAAA"), BODY, [SECRET], False),
        Case("another version", changed(good, lambda given: "v1a" + given[2:]), BODY, [SECRET], False),
        Case("no headers", {}, BODY, [SECRET], False),
    ]  # fmt: skip


def asymmetric() -> list[Case]:
    good = signed(PRIVATE)
    return [
        Case("an Ed25519 signature", good, BODY, [PUBLIC], True),
        Case("both kinds of key", signed(SECRET, PRIVATE), BODY, [OTHER, PUBLIC], True),
        Case("a stranger's key", signed(STRANGE), BODY, [PUBLIC], False),
        Case("another body", good, BODY + b" ", [PUBLIC], False),
        Case("six minutes old", signed(PRIVATE, off=timedelta(minutes=-6)), BODY, [PUBLIC], False),
        Case("half a signature", changed(good, lambda given: given[:48]), BODY, [PUBLIC], False),
        Case("a shared secret's signature", signed(SECRET), BODY, [PUBLIC], False),
    ]  # fmt: skip


@cache
def python_verifier() -> Callable[..., bool]:
    spec = importlib.util.spec_from_file_location("verify", EXAMPLES / "verify.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.is_signed  # type: ignore[no-any-return]


def is_taken(library: Any, case: Case) -> bool:
    try:
        library.Webhook(case.keys[0]).verify(case.body, dict(case.headers))
    except (library.WebhookVerificationError, ValueError):
        return False
    return True


def everything() -> list[Case]:
    return [*cases(), *asymmetric()]


def each_of(made: Callable[[], list[Case]]) -> pytest.MarkDecorator:
    """A test for each case by its number; it is made again when its turn comes, for time has passed."""
    return pytest.mark.parametrize("number", range(len(made())), ids=[case.name for case in made()])


@each_of(everything)
def test_the_verifier_in_python_is_right(number: int) -> None:
    case = everything()[number]
    assert python_verifier()(case.headers, case.body, case.keys) is case.is_right


@pytest.mark.parametrize("library", [standardwebhooks, svix], ids=["standardwebhooks", "svix"])
@each_of(cases)
def test_the_libraries_for_python_judge_the_same(number: int, library: Any) -> None:
    case = cases()[number]
    assert is_taken(library, case) is case.is_right


def test_the_verifier_in_python_takes_what_the_libraries_sign() -> None:
    at = datetime.now(UTC)
    for library in (standardwebhooks, svix):
        headers = {
            "webhook-id": ID,
            "webhook-timestamp": str(int(at.timestamp())),
            "webhook-signature": library.Webhook(SECRET).sign(ID, at, BODY.decode()),
        }
        assert python_verifier()(headers, BODY, [SECRET])


def test_the_verifier_in_javascript_is_right_and_judges_as_npms_library() -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not on the PATH: the verifier in JavaScript is left out")
    shared, all_cases = cases(), everything()
    asked = {
        "secret": SECRET,
        "cases": [
            {
                "headers": dict(one.headers),
                "keys": list(one.keys),
                "body": base64.b64encode(one.body).decode(),
            }
            for one in all_cases
        ],
    }
    done = subprocess.run(
        [node, str(HERE / "verifying.mjs")], input=json.dumps(asked), capture_output=True, text=True,
        timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    right = {one.name: one.is_right for one in all_cases}
    assert dict(zip((one.name for one in all_cases), told["ours"], strict=True)) == right
    judged = dict(zip((one.name for one in shared), told["npm"], strict=False))
    assert judged == {one.name: one.is_right for one in shared}
    by_npm = told["signedByNpm"]
    assert by_npm["isTaken"] is True
    assert python_verifier()(by_npm["headers"], by_npm["body"].encode(), [SECRET])


@pytest.mark.parametrize("name", ["verify.py", "verify.mjs"])
def test_a_verifier_is_tiny(name: str) -> None:
    lines = (EXAMPLES / name).read_text(encoding="utf-8").splitlines()
    assert len([line for line in lines if line.strip()]) <= 40
