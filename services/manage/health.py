"""Can this installation work, and what is wrong with it? Reads and asks; changes nothing.

`readiness` is for machines and quick. `doctor` is for people: every finding says how to mend it. No finding
shows a secret or an address of a person.
"""

import os
import shutil
import stat
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from services import settings as settings_module
from services.errors import Unavailable
from services.manage import backlogs, source_health
from services.manage.findings import Finding, bad, good
from services.manage.mailcheck import check_mail
from services.runtime import Runtime
from services.settings import SECRET_KEY_FILE, Settings
from services.storage import condition, work

LEAST_FREE_BYTES = 200_000_000
LATE = timedelta(minutes=5)
POSTGRES_15 = 150_000
ILL_SHOWN = 10

__all__ = ["Check", "Finding", "Readiness", "doctor", "doctor_of_settings", "readiness"]


@dataclass(frozen=True, slots=True)
class Check:
    """One condition; `text` is for people and names no secret."""

    name: str
    is_ok: bool
    text: str


@dataclass(frozen=True, slots=True)
class Readiness:
    is_ok: bool
    checks: tuple[Check, ...]


def readiness(rt: Runtime) -> Readiness:
    """Whether this process can do its work now: database with its tables, Redis, room on the disk.

    Work that waits is told too, but makes nobody unready: taking the web away would not make it go faster.
    """
    checks = [_database_check(rt), _redis_check(rt), _disk_check(rt.settings.data_dir)]
    if checks[0].is_ok:
        checks.append(_waiting_check(rt))
    return Readiness(all(c.is_ok for c in checks if c.name != "work"), tuple(checks))


def doctor(rt: Runtime) -> list[Finding]:
    """Everything that can be asked, from settings to what waits, in the order in which to mend it."""
    return [*doctor_of_settings(rt.settings), *_redis(rt), *check_mail(rt), *_database(rt)]


def doctor_of_settings(settings: Settings) -> list[Finding]:
    """What can be said before anything is connected to."""
    findings = [_folder(settings.data_dir), _disk(settings.data_dir), _secret_file(settings.data_dir)]
    for name in settings_module.unknown_names():
        findings.append(
            bad(
                "settings",
                f"{name} is set, and is no setting of Goniec.",
                "Correct it or remove it.",
            )
        )
    if settings.mail != "outbox" and "localhost" in settings.base_url:
        findings.append(
            bad(
                "base_url",
                f"Links in mails lead to {settings.base_url}, which readers cannot open.",
                "Set GONIEC_BASE_URL to the address under which people reach this Goniec.",
            )
        )
    if not settings.contact_url:
        findings.append(
            bad(
                "contact_url",
                "The sites whose feeds are read cannot learn whom to write to.",
                "Set GONIEC_CONTACT_URL to a page with your address.",
                is_grave=False,
            )
        )
    return findings


def _database_check(rt: Runtime) -> Check:
    try:
        is_current = condition.look(rt.engine).is_current
    except Unavailable:
        return Check("database", False, "cannot be reached")
    told = "answers, tables current" if is_current else "its tables are not those of this version"
    return Check("database", is_current, told)


def _redis_check(rt: Runtime) -> Check:
    there = rt.bell.is_there()
    return Check("redis", there, "answers" if there else "cannot be reached")


def _disk_check(folder: Path) -> Check:
    free = _free_bytes(folder)
    return Check("disk", free >= LEAST_FREE_BYTES, f"{free // 1_000_000} MB free")


def _waiting_check(rt: Runtime) -> Check:
    late = _late_stages(rt)
    told = ", ".join(f"{stage} {round(oldest)} s" for stage, oldest in late.items())
    return Check("work", not late, f"late: {told}" if late else "nothing waits for long")


def _late_stages(rt: Runtime) -> dict[str, float]:
    """{stage: age in seconds of its oldest due row} where that is too long."""
    now = rt.clock.now()
    with rt.begin() as session:
        ages = {stage: work.backlog(session, stage, now=now).oldest_s for stage in work.LANES}
    return {stage: age for stage, age in ages.items() if age > LATE.total_seconds()}


def _database(rt: Runtime) -> list[Finding]:
    try:
        server = condition.look(rt.engine)
    except Unavailable as error:
        return [
            bad(
                "database",
                f"PostgreSQL cannot be reached ({error.data['reason']}).",
                "Start it, or correct GONIEC_DATABASE_URL; without one, `goniec up` brings its own.",
            )
        ]
    if server.number < POSTGRES_15:
        return [bad("database", f"PostgreSQL {server.name} is too old.", "Use version 15 or newer.")]
    if not server.is_current:
        return [bad("database", "The tables are not those of this version.", "Run `goniec migrate`.")]
    return [good("database", f"PostgreSQL {server.name} answers, its tables are current."), *_troubles(rt)]


def _redis(rt: Runtime) -> list[Finding]:
    if rt.bell.is_there():
        return [good("redis", "Redis answers.")]
    return [
        bad(
            "redis",
            "Redis cannot be reached. Nothing is lost; everything waits for the sweep or stands still.",
            "Start it, or correct GONIEC_REDIS_URL; without one, `goniec up` brings its own.",
        )
    ]


def _troubles(rt: Runtime) -> list[Finding]:
    """What in the rows needs a person."""
    with rt.begin() as session:
        seen = condition.troubles(session)
    late = _late_stages(rt)
    told = [
        (seen.disabled_endpoints, "endpoints are disabled", "See `goniec endpoint list`; tell their owners."),
        (seen.uncertain_deliveries, "deliveries are uncertain", "Settle them with `goniec requeue`."),
        (seen.failed_events, "events could not be matched", "Look in the log for `match.` lines."),
    ]
    findings = [bad("work", f"{n} {what}.", mend, is_grave=False) for n, what, mend in told if n]
    findings += _sources(rt)
    for stage, age in late.items():
        findings.append(
            bad(
                "work",
                f"At `{stage}` something has waited for {round(age / 60)} minutes.",
                "Is a worker running? Start `goniec up`, or `goniec worker` and `goniec scheduler`.",
            )
        )
    findings += _missing_shards(rt)
    return findings or [good("work", "Nothing waits for long, and nothing needs you.")]


def _missing_shards(rt: Runtime) -> list[Finding]:
    """Grave: whatever these shards find, nobody is told of their events."""
    return [
        bad(
            "match",
            f"Nobody matches share {shard} of the interests: {events} events wait for it, the first for "
            f"{max(1, round(seconds / 60))} minutes, and are told to no one.",
            f"Start its worker (GONIEC_MATCH_SHARD={shard} goniec worker --queues match), "
            "or give all workers another number of shares.",
        )
        for shard, (events, seconds) in backlogs.missing_shards(rt).items()
    ]


def _sources(rt: Runtime) -> list[Finding]:
    """The sources that are broken, silent or stopped, each in the words of its health."""
    ill = [one for one in source_health.everything(rt) if one.health.state in source_health.TOLD]
    told = [
        bad(
            "source",
            f"{one.name} of {one.institution} is {one.health.state}: {one.health.words}",
            one.health.advice or f"See `goniec source show {one.source.id}`.",
            is_grave=False,
        )
        for one in ill[:ILL_SHOWN]
    ]
    if len(ill) > ILL_SHOWN:
        more = f"{len(ill) - ILL_SHOWN} more sources are broken, silent or stopped."
        told.append(bad("source", more, "See `goniec source list`.", is_grave=False))
    return told


def _folder(folder: Path) -> Finding:
    if folder.is_dir() and os.access(folder, os.W_OK | os.X_OK):
        return good("data_dir", f"{folder} can be written.")
    return bad(
        "data_dir", f"{folder} cannot be written.", "Create it for this user, or set GONIEC_DATA_DIR."
    )  # fmt: skip


def _disk(folder: Path) -> Finding:
    free = _free_bytes(folder)
    if free < LEAST_FREE_BYTES:
        return bad(
            "disk",
            f"Only {free // 1_000_000} MB are free where {folder} lies.",
            f"Make room: at least {LEAST_FREE_BYTES // 1_000_000} MB are needed.",
        )
    return good("disk", f"{free / 1e9:.1f} GB are free.")


def _secret_file(folder: Path) -> Finding:
    path = folder / SECRET_KEY_FILE
    if path.exists() and stat.S_IMODE(path.stat().st_mode) & 0o077:
        return bad("secret_key", f"Others can read {path}.", f"Run `chmod 600 {path}`.")
    return good("secret_key", "There is a secret key, and only this user reads it.")


def _free_bytes(folder: Path) -> int:
    """Room for this user at the folder, or at the first one above it that exists."""
    there = next((p for p in (folder, *folder.parents) if p.exists()), Path("/"))
    return shutil.disk_usage(there).free
