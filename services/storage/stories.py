"""Which story a new notice belongs to, and the sketches by which the next one is compared."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from pydantic import TypeAdapter
from sqlalchemy import ARRAY, BigInteger, delete, insert, literal, or_, select, text, update
from sqlalchemy.orm import Session

from services.domain.drafts import text_of
from services.domain.likeness import Sketch, indexed, is_same
from services.storage.notices import Door
from services.storage.tables import Notice, SketchRow

_SKETCH = TypeAdapter(Sketch)
KEPT = timedelta(days=30)
BOILERPLATE_OF = 30  # last notices of a source
CANDIDATES = 500


@dataclass(frozen=True, slots=True)
class Outdated:
    """A sketch by another analyser, and the text to read anew."""

    notice_id: int
    sketch: Sketch
    title: str
    text: str
    language: str | None


def alike(session: Session, where: Door, sketches: Mapping[str, Sketch], *, now: datetime) -> dict[str, int]:
    """{key: story} of those of an institution's new notices that tell what another has told.

    A story that this institution tells already is not joined again.
    """
    rows = _candidates(session, sketches, institution_id=where.institution_id, now=now)
    if not rows:
        return {}
    told_here = set(
        session.scalars(
            select(Notice.story_id).where(
                Notice.story_id.in_({story for _, _, story in rows}),
                Notice.institution_id == where.institution_id,
            )
        )
    )
    common = _boilerplate(session, {where.source_id, *(row.source_id for row, _, _ in rows)})
    found: dict[str, int] = {}
    for key, one in sketches.items():
        for row, other, story in rows:
            shared = common[where.source_id] | common[row.source_id]
            if story not in told_here and is_same(one, other, boilerplate=shared):
                found[key] = story
                told_here.add(story)
                break
    return found


def _candidates(
    session: Session, sketches: Mapping[str, Sketch], *, institution_id: int, now: datetime
) -> list[tuple[SketchRow, Sketch, int]]:
    """Recent sketches of others that share a shingle or a beginning with one of these, the newest first."""
    looked_up = sorted({number for one in sketches.values() for number in indexed(one.shingles)})
    times = [one.starts_at for one in sketches.values() if one.starts_at and one.segments]
    rows = session.execute(
        select(SketchRow, Notice.story_id)
        .join(Notice, Notice.id == SketchRow.notice_id)
        .where(
            SketchRow.institution_id != institution_id,
            SketchRow.at >= now - KEPT,
            Notice.withdrawn_at.is_(None),
            or_(
                SketchRow.indexed.op("&&")(literal(looked_up, ARRAY(BigInteger))),
                SketchRow.starts_at.in_(times),
            ),
        )
        .order_by(SketchRow.notice_id.desc())
        .limit(CANDIDATES)
    )
    return [(row, _SKETCH.validate_python(row.sketch), story) for row, story in rows]


_BOILERPLATE = text("""
    SELECT s.id, each.one
    FROM unnest(CAST(:sources AS bigint[])) AS s(id)
    CROSS JOIN LATERAL (
        SELECT k.sketch -> 'shingles' AS shingles FROM sketches k WHERE k.source_id = s.id
        ORDER BY k.at DESC, k.notice_id DESC LIMIT :of
    ) last
    CROSS JOIN LATERAL (SELECT CAST(e AS bigint) AS one FROM jsonb_array_elements(last.shingles) AS e) each
    GROUP BY s.id, each.one HAVING count(*) > 1
""")


def _boilerplate(session: Session, source_ids: Collection[int]) -> dict[int, frozenset[int]]:
    """{source: shingles that two of its last notices have in common}."""
    found: dict[int, set[int]] = {one: set() for one in source_ids}
    for source_id, shingle in session.execute(_BOILERPLATE, {"sources": sorted(found), "of": BOILERPLATE_OF}):
        found[source_id].add(shingle)
    return {one: frozenset(shingles) for one, shingles in found.items()}


def remember(
    session: Session, where: Door, sketches: Mapping[int, Sketch], *, now: datetime, by: str
) -> None:
    """Keep the sketches of new notices, by their ids; `by` names the analyser that read their words."""
    rows: Sequence[dict[str, object]] = [
        {
            "notice_id": notice_id, "source_id": where.source_id,
            "institution_id": where.institution_id, "at": now,
            "starts_at": one.starts_at, "indexed": indexed(one.shingles),
            "sketch": _SKETCH.dump_python(one, mode="json"), "analyser": by,
        }
        for notice_id, one in sketches.items()
    ]  # fmt: skip
    if rows:
        session.connection().execute(insert(SketchRow), rows)


def read_by_others(session: Session, analyser: str, *, limit: int) -> list[Outdated]:
    """Sketches whose words another analyser read, the newest first; locked until the transaction ends.

    What somebody else has locked is left to them.
    """
    found = session.execute(
        select(SketchRow, Notice)
        .join(Notice, Notice.id == SketchRow.notice_id)
        .where(SketchRow.analyser != analyser)
        .order_by(SketchRow.notice_id.desc())
        .limit(limit)
        .with_for_update(of=SketchRow, skip_locked=True)
    )
    return [
        Outdated(
            notice_id=row.notice_id,
            sketch=_SKETCH.validate_python(row.sketch),
            title=notice.title,
            text=f"{notice.summary}\n{text_of(notice.body_html)}",
            language=notice.language,
        )
        for row, notice in found
    ]


def renew(session: Session, sketches: Mapping[int, Sketch], *, by: str) -> None:
    """Put sketches in the place of those that these notices had."""
    for notice_id, one in sketches.items():
        sketch = {"indexed": indexed(one.shingles), "sketch": _SKETCH.dump_python(one, mode="json")}
        kept = update(SketchRow).where(SketchRow.notice_id == notice_id)
        session.execute(kept.values(analyser=by, **sketch))


def forget(session: Session, now: datetime) -> int:
    """Remove sketches that nothing is compared with any more."""
    gone = delete(SketchRow).where(SketchRow.at < now - KEPT).returning(SketchRow.notice_id)
    return len(session.execute(gone).all())
