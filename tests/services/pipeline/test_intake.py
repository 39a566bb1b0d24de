"""A folder of mail that came back is read to the end, and a file goes only after its word is committed."""

import uuid
from pathlib import Path

import pytest

from services.domain import verp
from services.manage import suppressions
from services.pipeline import compose, deliver, feedback, intake, match, sweep
from services.runtime import Runtime
from tests.conftest import OpenRuntime
from tests.factories import draft, only, publish, reader, rows
from tests.services.domain import reports

ANNA = "anna@mail.example"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("new", "cur", "tmp"):
        (tmp_path / "bounces" / name).mkdir(parents=True)
    return tmp_path / "bounces"


@pytest.fixture
def mailing(open_runtime: OpenRuntime, folder: Path) -> Runtime:
    return open_runtime(bounces_dir=folder)


def sent(rt: Runtime, key: str = "n-1") -> uuid.UUID:
    publish(rt, draft(key))
    for stage in (match.run, compose.run, deliver.run_mail):
        stage(rt)
    newest = rows(rt, "SELECT uid FROM deliveries ORDER BY id DESC LIMIT 1")[0]
    return uuid.UUID(str(newest["uid"]))


def lay(folder: Path, rt: Runtime, delivery: uuid.UUID, name: str = "1.mx") -> Path:
    to = verp.envelope_sender(rt.settings.secret_key, delivery, "goniec.example")
    path = folder / "new" / name
    path.write_bytes(reports.dsn(delivery=delivery, to=to))
    return path


def test_the_sweep_sees_the_folder_and_feedback_empties_it(mailing: Runtime, folder: Path) -> None:
    reader(mailing, ANNA)
    lay(folder, mailing, sent(mailing))
    assert sweep.due(mailing) == ["feedback"]
    feedback.run(mailing)
    assert list((folder / "new").iterdir()) == []
    assert only(mailing, "SELECT reason FROM suppressions")["reason"] == "bounce"
    assert sweep.due(mailing) == []


def test_a_file_whose_reader_died_after_the_commit_is_read_again_and_counts_once(
    mailing: Runtime, folder: Path
) -> None:
    reader(mailing, ANNA)
    path = lay(folder, mailing, sent(mailing))
    intake.take_report(mailing, path.read_bytes())
    feedback.run(mailing)
    assert not path.exists()
    assert len(rows(mailing, "SELECT 1 AS one FROM feedback")) == 1


def test_what_is_no_report_is_kept_for_a_person_to_see(mailing: Runtime, folder: Path) -> None:
    (folder / "new" / "2.mx").write_bytes(b"Subject: Dear editors\n\nI have a question.\n")
    (folder / "new" / "3.mx").write_bytes(b"\x00\xff" * 1000)
    feedback.run(mailing)
    assert list((folder / "new").iterdir()) == []
    assert sorted(path.name for path in (folder / "cur").iterdir()) == ["2.mx:2,F", "3.mx:2,F"]


def test_a_lifted_address_begins_anew(mailing: Runtime, folder: Path) -> None:
    reader(mailing, ANNA)
    lay(folder, mailing, sent(mailing))
    feedback.run(mailing)
    page = suppressions.listed(mailing)
    assert [(one.email, one.reason) for one in page.items] == [(ANNA, "bounce")]

    assert suppressions.lift(mailing, ANNA)

    assert suppressions.listed(mailing).items == []
    sent(mailing, "n-2")
    assert rows(mailing, "SELECT state FROM deliveries ORDER BY id DESC LIMIT 1")[0]["state"] == "sent"
    line = only(mailing, "SELECT actor, action FROM audit_lines WHERE action LIKE 'suppression%'")
    assert line == {"actor": "operator", "action": "suppression.lift"}
