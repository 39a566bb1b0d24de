"""Words from outside about letters, taken in: provider's events, reports by mail, a folder of them.

What is taken is committed before anybody is told so, and before its file goes; feedback acts on it
afterwards. Taking the same thing twice changes nothing.
"""

import contextlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from services import log as logs
from services.channels import sendgrid_events
from services.domain import reports
from services.errors import NotFound
from services.queue import Stage
from services.runtime import Runtime
from services.storage import feedback as store

FILES_A_ROUND = 200

log = logs.get(__name__)


def take_events(rt: Runtime, body: bytes, *, signature: str, timestamp: str) -> int:
    """Take a batch of SendGrid's events; how many words were new.

    Raises NotFound when no key is set to check by, Forbidden for a bad signature, BadInput for a bad body.
    """
    key, now = rt.settings.sendgrid_events_key, rt.clock.now()
    if not key:
        raise NotFound("SendGrid's events are not taken here: GONIEC_SENDGRID_EVENTS_KEY is not set.")
    sendgrid_events.check(key, body, signature=signature, timestamp=timestamp, now=now)
    heard = sendgrid_events.read(body, now)
    with rt.begin() as session:
        new = store.hear(session, "sendgrid", heard, now=now)
    if new:
        rt.bell.ring(Stage.FEEDBACK)
    log.info("feedback.events", told=len(heard), new=new)
    return new


def take_report(rt: Runtime, raw: bytes, *, recipients: Sequence[str] = ()) -> str:
    """Take one mail that came back; its kind (services.domain.reports.Read)."""
    now = rt.clock.now()
    read = reports.read(raw, secret=rt.settings.secret_key, now=now, recipients=recipients)
    with rt.begin() as session:
        new = store.hear(session, "report", read.heard, now=now)
    if new:
        rt.bell.ring(Stage.FEEDBACK)
    rt.metrics.handled("feedback", f"report_{read.kind}")
    log.info("feedback.report", kind=read.kind, new=new)
    return read.kind


def read_folder(rt: Runtime) -> int:
    """Take what lies in the Maildir of GONIEC_BOUNCES_DIR; how many files.

    A file goes only after the commit. What is no report is kept, moved from `new` to `cur`, to be seen.
    """
    done = 0
    for path in waiting(rt):
        if rt.stopping.is_set():
            break
        with contextlib.suppress(FileNotFoundError):  # another worker was quicker
            kind = take_report(rt, _raw(path))
            if kind in ("unknown", "reply"):
                _keep(path)
            else:
                path.unlink()
            done += 1
    return done


def waiting(rt: Runtime) -> list[Path]:
    """The oldest files of the folder that nobody has read; none when there is no folder."""
    folder = rt.settings.bounces_dir
    if folder is None:
        return []
    try:
        return sorted(_files(folder / "new"))[:FILES_A_ROUND]
    except OSError:
        return []


def _files(folder: Path) -> Iterator[Path]:
    with os.scandir(folder) as entries:
        yield from (Path(one.path) for one in entries if one.is_file(follow_symlinks=False))


def _raw(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(reports.MAX_BYTES)


def _keep(path: Path) -> None:
    seen = path.parent.parent / "cur"
    seen.mkdir(exist_ok=True)
    path.rename(seen / f"{path.name.partition(':')[0]}:2,F")
