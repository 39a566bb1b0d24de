"""Stage 2: what a source says becomes notices and events, in one transaction.

Polls and pushes come through here alike. Nothing is stored twice, a revision is made only by a real
change, and what was withdrawn stays withdrawn.
"""

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

import nh3
from sqlalchemy.orm import Session

from services.domain.drafts import (
    MAX_BODY,
    MAX_SUMMARY,
    MAX_TITLE,
    Draft,
    content_hash,
    is_other,
    plain,
    text_of,
)
from services.domain.likeness import Sketch
from services.domain.tameness import is_tame
from services.errors import NotFound
from services.pipeline import labelling, likeness
from services.pipeline.labelling import Labeller
from services.runtime import Runtime
from services.storage import notices as store
from services.storage import stories
from services.storage.tables import Notice as Stored

BATCH = 200
MAX_RESTLESS = 24  # revisions of an entry in which only its body moves


class Outcome(StrEnum):
    PUBLISHED = "published"
    REVISED = "revised"
    UNCHANGED = "unchanged"
    WITHDRAWN = "withdrawn"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Accepted:
    """What became of one draft; `error` says why it was refused."""

    key: str
    outcome: Outcome
    notice_id: int | None = None
    revision: int | None = None
    error: str | None = None


def accept(
    rt: Runtime, source_id: int, drafts: Sequence[Draft], *, tell_since: datetime | None = None
) -> list[Accepted]:
    """Store drafts by (source, key); the answer has one outcome for each, in their order.

    Idempotent: the same drafts again are `unchanged`. Of two drafts with one key the last counts.
    A draft published before `tell_since` is stored for reading but makes no event. Raises NotFound
    when there is no such source.
    """
    last = {draft.key: draft for draft in drafts}
    unique = list(last.values())
    done: dict[str, Accepted] = {}
    while left := [draft for draft in unique if draft.key not in done]:
        done.update(_accept_batch(rt, source_id, left[:BATCH], tell_since))
    if any(a.outcome in (Outcome.PUBLISHED, Outcome.REVISED) for a in done.values()):
        rt.bell.ring("match")
    return [done[draft.key] for draft in drafts]


def withdraw(rt: Runtime, source_id: int, keys: Sequence[str]) -> list[Accepted]:
    """Take notices back. One that is unknown is `refused`, one already withdrawn stays so."""
    now = rt.clock.now()
    with rt.begin() as session:
        where = store.door(session, source_id)
        if where is None:
            raise NotFound(f"there is no source {source_id}")
        known = store.hold_known(session, source_id, keys)
        done = []
        for key in keys:
            if (notice := known.get(key)) is None:
                done.append(Accepted(key, Outcome.REFUSED, error="no notice has this key"))
                continue
            if notice.withdrawn_at is None:
                store.withdraw(session, notice, where, now=now)
            done.append(Accepted(key, Outcome.WITHDRAWN, notice.id, notice.revision))
    rt.bell.ring("match")
    return done


def _accept_batch(
    rt: Runtime, source_id: int, drafts: Sequence[Draft], tell_since: datetime | None
) -> dict[str, Accepted]:
    """One transaction. A key that another transaction stored between our look and our insert has no
    outcome yet: the caller comes again, and finds it known."""
    now = rt.clock.now()
    as_given = {draft.key: draft for draft in drafts}  # without what is the source's
    with rt.begin() as session:
        where = store.door(session, source_id)
        if where is None:
            raise NotFound(f"there is no source {source_id}")
        labeller = Labeller(
            rt, labelling.rules(session), topics=where.source_topics, places=where.source_places,
            language=where.source_language,
        )  # fmt: skip
        known = store.hold_known(session, source_id, [draft.key for draft in drafts])
        done: dict[str, Accepted] = {}
        fresh: list[store.Change] = []
        for given in sorted(drafts, key=lambda one: one.key):  # one order, so that no two pushes deadlock
            draft = _with_defaults(given, where)
            digest = content_hash(draft)
            notice = known.get(draft.key)
            if notice is None:
                fresh.append(_change(labeller.labelled(given), digest, now))
            elif notice.withdrawn_at is not None:
                done[draft.key] = Accepted(draft.key, Outcome.WITHDRAWN, notice.id, notice.revision)
            elif not _is_news(notice, draft, digest):
                notice.content_hash = digest
                done[draft.key] = Accepted(draft.key, Outcome.UNCHANGED, notice.id, notice.revision)
            else:
                store.revise(session, notice, where, _change(labeller.labelled(given), digest, now), now=now)
                done[draft.key] = Accepted(draft.key, Outcome.REVISED, notice.id, notice.revision)
        quiet = frozenset(c.draft.key for c in fresh if tell_since and c.published_at < tell_since)
        new = {c.draft.key: likeness.sketch(as_given[c.draft.key], rt.analyser) for c in fresh}
        added = _added(session, where, fresh, new, quiet=quiet, now=now, by=rt.analyser.name)
        for key, (notice_id, _) in added.items():
            done[key] = Accepted(key, Outcome.PUBLISHED, notice_id, 1)
    return done


def _added(
    session: Session, where: store.Door, fresh: Sequence[store.Change], new: Mapping[str, Sketch], *,
    quiet: frozenset[str], now: datetime, by: str,
) -> dict[str, tuple[int, int | None]]:  # fmt: skip
    """Store what is new, as part of the story that another institution tells where there is one."""
    if not fresh:
        return {}
    alike = stories.alike(session, where, new, now=now)
    added = store.add_notices(session, where, fresh, now=now, quiet=quiet, alike=alike)
    kept = {notice_id: new[key] for key, (notice_id, _) in added.items()}
    stories.remember(session, where, kept, now=now, by=by)
    return added


def _is_news(notice: Stored, draft: Draft, digest: bytes) -> bool:
    """Whether a draft says something else than the notice. A newer rule of hashing revises nothing, and an
    entry whose body never rests is left alone in the end."""
    if not is_other(notice.content_hash, digest):
        return False
    return notice.revision <= MAX_RESTLESS or not _is_body_alone(notice, draft)


def _is_body_alone(notice: Stored, draft: Draft) -> bool:
    said = (notice.title, notice.summary, notice.url, notice.deadline_at, notice.starts_at, notice.ends_at)
    title, summary = plain(draft.title, limit=MAX_TITLE), plain(draft.summary, limit=MAX_SUMMARY)
    return said == (title, summary, draft.url, draft.deadline_at, draft.starts_at, draft.ends_at)


def _with_defaults(draft: Draft, where: store.Door) -> Draft:
    """What the source says, for telling a change: what we find out ourselves revises nothing."""
    return replace(
        draft,
        topics=tuple(dict.fromkeys((*draft.topics, *where.source_topics))),
        places=draft.places or where.source_places,
        language=draft.language or where.source_language,
    )


def _change(draft: Draft, digest: bytes, now: datetime) -> store.Change:
    """Clean a draft that will be stored; the hash was taken of the raw one, so that a better
    sanitiser revises nothing."""
    published_at = min(draft.published_at or now, now)
    clean = replace(
        draft,
        title=plain(draft.title, limit=MAX_TITLE),
        summary=plain(draft.summary, limit=MAX_SUMMARY),
        body_html=_clean(draft.body_html[:MAX_BODY].replace("\x00", "")),
    )
    return store.Change(clean, digest, published_at)


def _clean(body_html: str) -> str:
    """What people may be shown of a body; of one that would multiply in the cleaner, its words."""
    if not is_tame(body_html):
        return f"<p>{html.escape(text_of(body_html), quote=False)}</p>"
    return nh3.clean(body_html)


def tell_since(first_read_at: datetime | None, now: datetime) -> datetime | None:
    """A first read of a source tells nothing older than seven days; later reads tell all that is new."""
    return now - timedelta(days=7) if first_read_at is None else None
