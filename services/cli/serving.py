"""The web server as this project runs it: what waits in it hears that it ends."""

import sys
import threading
from contextlib import suppress
from types import FrameType

import uvicorn

STARTUP_FAILURE = 3


class Server(uvicorn.Server):
    """A stream or a long wait must not hold up a restart until the time to drain is over."""

    def __init__(self, config: uvicorn.Config, stopping: threading.Event) -> None:
        super().__init__(config)
        self._stopping = stopping

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self._stopping.set()
        super().handle_exit(sig, frame)


def run(config: uvicorn.Config, stopping: threading.Event) -> None:
    """Serve until SIGTERM or SIGINT; `stopping` is set when either comes."""
    server = Server(config, stopping)
    with suppress(KeyboardInterrupt):
        server.run()
    if not server.started:
        sys.exit(STARTUP_FAILURE)
