"""When a delivery is tried again: one list of waits, spread out, and the receiver's own wish heard.

Pure: the spread comes from the delivery's id, so the same attempt always has the same time.
"""

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

MINUTE_S = 60
HOUR_S = 3600
# Seconds before each attempt, counted from the one before it (Standard Webhooks' own schedule).
SCHEDULE_S: tuple[float, ...] = (
    *(0, 5, 5 * MINUTE_S, 30 * MINUTE_S),
    *(2 * HOUR_S, 5 * HOUR_S, 10 * HOUR_S, 14 * HOUR_S, 20 * HOUR_S, 24 * HOUR_S),
)
JITTER = 0.2
MAX_RETRY_AFTER_S = 24.0 * HOUR_S


def next_attempt_at(
    attempts: int,
    failed_at: datetime,
    *,
    key: str,
    retry_after_s: float | None = None,
    schedule_s: Sequence[float] = SCHEDULE_S,
) -> datetime | None:
    """When attempt number `attempts + 1` is due, after `attempts` failed ones; None: give up.

    `key` names the delivery. `retry_after_s` (at most 24 h) may only make the wait longer.
    """
    if attempts >= len(schedule_s):
        return None
    wait_s = schedule_s[attempts] * (1 + JITTER * spread(key, attempts))
    if retry_after_s is not None:
        wait_s = max(wait_s, min(retry_after_s, MAX_RETRY_AFTER_S))
    return failed_at + timedelta(seconds=wait_s)


def spread(key: str, attempt: int) -> float:
    """A number from -1 to 1 that looks random and is always the same for this delivery and attempt."""
    digest = hashlib.blake2b(f"{key}:{attempt}".encode(), digest_size=8).digest()
    return int.from_bytes(digest) / (2**63) - 1


def read_retry_after(value: str | None, now: datetime) -> float | None:
    """Seconds asked for by a Retry-After header (RFC 9110 section 10.2.3), 0 to 24 h; None if unreadable."""
    text = (value or "").strip()
    if text.isascii() and text.isdigit():
        return min(float(text[:12]), MAX_RETRY_AFTER_S)
    try:
        at = parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError):
        return None
    if at.tzinfo is None:
        at = at.replace(tzinfo=UTC)
    return min(max((at - now).total_seconds(), 0.0), MAX_RETRY_AFTER_S)
