"""What a process holds for as long as it lives. Built once; no module keeps a client of its own."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from services.clock import Clock, SystemClock
from services.errors import RateLimited
from services.http import Client
from services.interests.live import LiveIndex
from services.interests.placing import Gazetteer
from services.interests.text import Analyser
from services.metrics import Metrics
from services.queue import Doorbell
from services.rendering import Renderer
from services.settings import Settings
from services.storage.session import Sessions, make_engine, make_sessions, transaction

TEMPLATES = Path(__file__).parent.parent / "templates"
VERSION = "0.1.0"
WAITED_FOR_AT_ONCE = 10  # of the forty threads that answer


@dataclass(frozen=True, slots=True)
class Runtime:
    """Everything the layers above may use; `stopping` is set when the process is asked to end."""

    settings: Settings
    clock: Clock
    engine: Engine
    sessions: Sessions
    bell: Doorbell
    http: Client
    trusted_http: Client
    analyser: Analyser
    gazetteer: Gazetteer
    index: LiveIndex
    renderer: Renderer
    metrics: Metrics
    stopping: threading.Event = field(default_factory=threading.Event)
    _rooms: threading.BoundedSemaphore = field(
        default_factory=lambda: threading.BoundedSemaphore(WAITED_FOR_AT_ONCE)
    )

    @classmethod
    def open(
        cls, settings: Settings, *, clock: Clock | None = None, resolve: dict[str, list[str]] | None = None
    ) -> "Runtime":
        """A runtime over the database and Redis that `settings` name; connects on first use.

        `resolve` replaces name look-ups for the hosts it lists (tests alone need it).
        """
        assert settings.database_url, "the engines are started before the runtime"
        assert settings.redis_url, "the engines are started before the runtime"
        engine = make_engine(settings.database_url)
        analyser, gazetteer = _language()
        agent = f"Goniec/{VERSION} (+{settings.contact_url or settings.base_url})"
        return cls(
            settings=settings,
            clock=clock or SystemClock(),
            engine=engine,
            sessions=make_sessions(engine),
            bell=Doorbell(settings.redis_url),
            http=Client(user_agent=agent, allow_networks=settings.allow_networks, resolve=resolve),
            trusted_http=Client(user_agent=agent, guarded=False),
            analyser=analyser,
            gazetteer=gazetteer,
            index=LiveIndex(analyser),
            renderer=Renderer(
                TEMPLATES,
                base_url=settings.base_url,
                operator_name=settings.operator_name,
                contact_url=settings.contact_url,
            ),
            metrics=Metrics(settings.redis_url),
        )

    @contextmanager
    def room_to_wait(self) -> Iterator[None]:
        """Around calls to a stranger's server that somebody waits for: a few at once in a process, so that a
        server that hangs takes nobody else's threads. Raises RateLimited."""
        if not self._rooms.acquire(blocking=False):
            raise RateLimited(
                "Others are being called at this moment. Come again shortly.", retry_after_s=20.0
            )
        try:
            yield
        finally:
            self._rooms.release()

    @contextmanager
    def begin(self) -> Iterator[Session]:
        """One transaction: committed at the end, rolled back on an exception. Raises Unavailable."""
        with transaction(self.sessions) as session:
            yield session

    def close(self) -> None:
        self.http.close()
        self.trusted_http.close()
        self.bell.close()
        self.metrics.close()
        self.engine.dispose()


@cache
def _language() -> tuple[Analyser, Gazetteer]:
    """What knows words and places: what it has read once holds for whatever runtime a process opens."""
    analyser = Analyser()
    return analyser, Gazetteer(analyser)
