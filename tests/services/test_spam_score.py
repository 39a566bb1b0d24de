"""No mail of ours looks like spam to SpamAssassin's own rules; nothing is asked of the network."""

import os
import re
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from services.channels import mime
from services.channels.base import Letter
from tests.services.test_rendering import CONTEXTS, EVERY_MAIL, RENDERER, Values

MOST = 1.0


@pytest.fixture(scope="module")
def spamassassin() -> str:
    found = os.environ.get("GONIEC_SPAMASSASSIN") or shutil.which("spamassassin")
    if not found:
        pytest.skip("left out: no SpamAssassin; install Debian's `spamassassin`, or set GONIEC_SPAMASSASSIN")
    return found


def test_every_mail_scores_below_one(spamassassin: str, tmp_path: Path) -> None:
    paths = [_written(name, locale, tmp_path) for name, locale in EVERY_MAIL]
    told = subprocess.run(
        [spamassassin, "--local", "--test-mode", "--mbox", str(_folder(paths, tmp_path))],
        capture_output=True, text=True, timeout=300, check=True, env={**os.environ, "HOME": str(tmp_path)},
    ).stdout  # fmt: skip

    scores = [float(found) for found in re.findall(r"^X-Spam-Status: \w+, score=(-?[\d.]+)", told, re.M)]
    assert len(scores) == len(paths) == 2 * len(CONTEXTS)
    reasons = re.findall(r"tests=([\w,\s]+?)\s+autolearn", told)
    assert [pair for pair in zip(EVERY_MAIL, scores, reasons, strict=True) if pair[1] >= MOST] == []


def test_a_mail_that_is_spam_would_be_found(spamassassin: str, tmp_path: Path) -> None:
    gtube = "XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X"
    told = subprocess.run(
        [spamassassin, "--local", "--test-mode"], input=f"Subject: x\n\n{gtube}\n",
        capture_output=True, text=True, timeout=120, check=True, env={**os.environ, "HOME": str(tmp_path)},
    ).stdout  # fmt: skip
    assert "X-Spam-Status: Yes" in told


def _written(name: str, locale: str, folder: Path) -> Path:
    body = RENDERER.email(name, locale, CONTEXTS[name])
    letter = Letter(
        delivery_id=f"{name}{locale}", to="anna.nowak@mail.example", from_="Goniec <goniec@goniec.example>",
        envelope_from="b@goniec.example", subject=body.subject, text=body.text, html=body.html,
        language=locale, date=datetime(2026, 11, 23, 6, tzinfo=UTC), list_id=f"{name}.goniec.example",
        unsubscribe_url="https://goniec.example/u/x", archive_url="https://goniec.example/issues/x",
        feedback_id=f"1:{name}:goniec", message_id=f"{name}.{locale}.4f2a91c07d@goniec.example",
        in_reply_to="", salt=body.salt, values=Values(),
    )  # fmt: skip
    path = folder / f"{name}.{locale}.eml"
    path.write_bytes(mime.write(letter).replace(b"\r\n", b"\n"))
    return path


def _folder(paths: list[Path], folder: Path) -> Path:
    """All of them in one mbox: the rules take seconds to load."""
    whole = folder / "all.mbox"
    arrived = b"From b@goniec.example Mon Nov 23 06:00:05 2026\n"
    whole.write_bytes(b"".join(arrived + path.read_bytes() + b"\n" for path in paths))
    return whole
