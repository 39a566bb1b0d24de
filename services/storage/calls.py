"""Which webhook deliveries may be sent now: fair to every endpoint, and within what each one bears.

A claim takes from each endpoint no more than its quota allows beside what is under way already, so that a
long backlog or a dead endpoint leaves room for all others.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import text
from sqlalchemy.orm import Session

from services.domain.health import Health, Standing

# The most calls a second to an endpoint p: what its owner wants, and no more than the receiver allows.
PACE = "LEAST(p.max_per_s, p.allowed_per_min / 60.0)"
_BINDS = f"({PACE} IS NOT NULL OR p.is_ordered OR p.health <> 'healthy')"
_WAITING = """
    SELECT p.id FROM endpoints p
    WHERE p.state <> 'paused'
      AND (p.next_at IS NULL OR p.next_at <= :now OR p.state = 'disabled')
      AND (p.paced_until IS NULL OR p.paced_until <= :now)
      AND EXISTS (SELECT FROM deliveries d
                  WHERE d.endpoint_id = p.id AND d.state IN ('pending', 'retry', 'sending')
                    AND d.due_at <= :now)
"""
# Where a limit binds, the endpoint's row is held, so that two claims cannot both use the same room. Held
# before the room is counted: a statement sees what was committed when it began, not when it got its lock.
_HOLD = text(f"{_WAITING} AND {_BINDS} ORDER BY p.id FOR UPDATE OF p SKIP LOCKED")
# A paced endpoint is given up to a second's worth at once, and what it was given is paid for by waiting.
_CLAIM = text(f"""
    WITH waiting AS MATERIALIZED (
{_WAITING}
    ), open AS MATERIALIZED (
        SELECT p.id, p.is_ordered AND p.state <> 'disabled' AS is_ordered,
               CASE WHEN p.state = 'disabled' THEN :limit
                    ELSE LEAST(p.quota, GREATEST(1, floor(coalesce({PACE}, p.quota)))) - (
                        SELECT count(*) FROM deliveries f
                        WHERE f.endpoint_id = p.id AND f.state = 'sending' AND f.lease_until >= :now)
               END AS room
        FROM endpoints p JOIN waiting w ON w.id = p.id
        WHERE p.id = ANY(:held) OR NOT {_BINDS}
    ), due AS (
        SELECT one.id
        FROM open CROSS JOIN LATERAL (
            SELECT d.id, d.due_at FROM deliveries d
            WHERE d.endpoint_id = open.id
              AND ((d.state IN ('pending', 'retry') AND d.due_at <= :now)
                   OR (d.state = 'sending' AND d.lease_until < :now))
              AND (NOT open.is_ordered OR (
                  NOT EXISTS (
                      SELECT FROM events e JOIN notices n ON n.id = e.notice_id,
                           deliveries b JOIN events be ON be.id = b.event_id
                           JOIN notices bn ON bn.id = be.notice_id
                      WHERE e.id = d.event_id AND b.endpoint_id = d.endpoint_id
                        AND b.state IN ('pending', 'retry', 'sending') AND be.id < e.id
                        AND bn.institution_id = n.institution_id)
                  AND NOT EXISTS (
                      SELECT FROM events e JOIN notices n ON n.id = e.notice_id,
                           events u JOIN notices un ON un.id = u.notice_id
                      WHERE e.id = d.event_id AND u.state IN ('pending', 'leased') AND u.id < e.id
                        AND un.institution_id = n.institution_id)))
            ORDER BY d.due_at, d.id LIMIT GREATEST(open.room, 0)
            FOR UPDATE OF d SKIP LOCKED
        ) one
        ORDER BY one.due_at, one.id LIMIT :limit
    ), taken AS (
        UPDATE deliveries d SET state = 'sending', claim_id = :claim, lease_until = :until
        FROM due WHERE d.id = due.id
        RETURNING d.id, d.endpoint_id
    ), paced AS (
        UPDATE endpoints p
        SET paced_until = CAST(:now AS timestamptz) + make_interval(secs => t.n / {PACE})
        FROM (SELECT endpoint_id, count(*) AS n FROM taken GROUP BY endpoint_id) t
        WHERE p.id = t.endpoint_id AND {PACE} IS NOT NULL
    )
    SELECT id FROM taken ORDER BY id
""")
_STANDINGS = text("""
    SELECT id, health, quota, failures, failing_since, next_at, warned_at
    FROM endpoints WHERE id = ANY(:ids) ORDER BY id FOR UPDATE
""")
_STAND = text("""
    UPDATE endpoints p
    SET health = v.health, quota = v.quota, failures = v.failures, failing_since = v.failing_since,
        next_at = v.next_at, warned_at = v.warned_at,
        state = CASE WHEN v.health = 'disabled' THEN 'disabled' ELSE p.state END,
        state_because = CASE WHEN v.health = 'disabled' THEN v.because ELSE p.state_because END
    FROM unnest(CAST(:ids AS bigint[]), CAST(:healths AS text[]), CAST(:quotas AS bigint[]),
                CAST(:failures AS bigint[]), CAST(:since AS timestamptz[]), CAST(:nexts AS timestamptz[]),
                CAST(:warned AS bigint[]), CAST(:becauses AS text[]))
         AS v(id, health, quota, failures, failing_since, next_at, warned_at, because)
    WHERE p.id = v.id
""")
_CHANGED = text("""
    INSERT INTO endpoint_changes (endpoint_id, at, health, because)
    SELECT id, :now, health, because
    FROM unnest(CAST(:ids AS bigint[]), CAST(:healths AS text[]), CAST(:becauses AS text[]))
         AS v(id, health, because)
""")


def claim(session: Session, claim_id: str, *, now: datetime, lease: timedelta, limit: int) -> list[int]:
    """Hold up to `limit` due calls under a claim, the longest due first; their ids."""
    held = session.scalars(_HOLD, {"now": now}).all()
    bound = {"claim": claim_id, "now": now, "until": now + lease, "limit": limit, "held": list(held)}
    return list(session.scalars(_CLAIM, bound))


def standings(session: Session, endpoint_ids: Sequence[int]) -> dict[int, Standing]:
    """How well endpoints are, held until the transaction ends."""
    return {
        r.id: Standing(Health(r.health), r.quota, r.failures, r.failing_since, r.next_at, r.warned_at)
        for r in session.execute(_STANDINGS, {"ids": list(endpoint_ids)})
    }


def stand(
    session: Session, changed: Mapping[int, tuple[Standing, str]], *, moved: Sequence[int], now: datetime
) -> None:
    """Write how well endpoints are now, with the reason; those that `moved` to another health get a line."""
    if not changed:
        return
    rows = [(one, *changed[one]) for one in sorted(changed)]
    session.execute(
        _STAND,
        {
            "ids": [one for one, _, _ in rows],
            "healths": [stands.health.value for _, stands, _ in rows],
            "quotas": [stands.quota for _, stands, _ in rows],
            "failures": [stands.failures for _, stands, _ in rows],
            "since": [stands.failing_since for _, stands, _ in rows],
            "nexts": [stands.next_at for _, stands, _ in rows],
            "warned": [stands.warned_at for _, stands, _ in rows],
            "becauses": [because for _, _, because in rows],
        },
    )
    if moved:
        told = [(one, changed[one][0].health.value, changed[one][1]) for one in sorted(moved)]
        ids, healths, becauses = (list(column) for column in zip(*told, strict=True))
        session.execute(_CHANGED, {"ids": ids, "healths": healths, "becauses": becauses, "now": now})
