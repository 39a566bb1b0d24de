"""The time, as an argument: nothing else in Goniec may ask the system for it."""

import time
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Tells the time and waits; tests turn it by hand."""

    def now(self) -> datetime:
        """The time now, aware, UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds that never go backwards, for measuring spans."""
        ...

    def sleep(self, seconds: float) -> None: ...


class SystemClock:
    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


class FrozenClock:
    """Stands still until it is turned; `sleep` turns it."""

    def __init__(self, at: datetime) -> None:
        self._at = at.astimezone(UTC)
        self._elapsed = 0.0

    def now(self) -> datetime:
        return self._at

    def monotonic(self) -> float:
        return self._elapsed

    def sleep(self, seconds: float) -> None:
        self.advance(seconds)

    def advance(self, by: timedelta | float) -> None:
        span = by if isinstance(by, timedelta) else timedelta(seconds=by)
        self._at += span
        self._elapsed += span.total_seconds()

    def set(self, at: datetime) -> None:
        self._at = at.astimezone(UTC)
