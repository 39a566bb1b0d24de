"""Many transfers at once on one thread: libcurl's multi interface driven by epoll.

Knows nothing of requests and answers. Not for two threads at a time.
"""

import selectors
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pycurl  # type: ignore[import-untyped]

from services.clock import SystemClock
from services.http.transfer import Rules, Transfer

_MASKS = {
    pycurl.POLL_IN: selectors.EVENT_READ,
    pycurl.POLL_OUT: selectors.EVENT_WRITE,
    pycurl.POLL_INOUT: selectors.EVENT_READ | selectors.EVENT_WRITE,
}
MAX_WAIT_S = 1.0


class Loop:
    """A multi handle with its kept connections and its reusable transfers."""

    def __init__(self, rules: Rules, *, kept_connections: int) -> None:
        self._rules = rules
        self._now = SystemClock().monotonic
        self._due: float | None = None
        self._selector = selectors.DefaultSelector()
        self._idle: list[Transfer] = []
        self._running: dict[Any, Transfer] = {}
        self._multi = pycurl.CurlMulti()
        self._multi.setopt(pycurl.M_SOCKETFUNCTION, self._on_socket)
        self._multi.setopt(pycurl.M_TIMERFUNCTION, self._on_timer)
        self._multi.setopt(pycurl.M_MAXCONNECTS, kept_connections)

    @property
    def running(self) -> int:
        return len(self._running)

    def take(self) -> Transfer:
        """An idle transfer, to be loaded and started."""
        return self._idle.pop() if self._idle else Transfer(self._rules)

    def start(self, transfer: Transfer) -> None:
        self._running[transfer.curl] = transfer
        self._multi.add_handle(transfer.curl)

    def put_back(self, transfer: Transfer) -> None:
        transfer.unload()
        self._idle.append(transfer)

    def wait(self) -> Iterator[tuple[Transfer, int, str]]:
        """Work until something happens: the transfers that ended; each with libcurl's code (0: well)."""
        wait_s = MAX_WAIT_S if self._due is None else min(self._due - self._now(), MAX_WAIT_S)
        events = self._selector.select(max(0.0, wait_s))
        for key, mask in events:
            flags = pycurl.CSELECT_IN if mask & selectors.EVENT_READ else 0
            flags |= pycurl.CSELECT_OUT if mask & selectors.EVENT_WRITE else 0
            self._multi.socket_action(key.fd, flags)
        if not events or (self._due is not None and self._due <= self._now()):
            self._due = None
            self._multi.socket_action(pycurl.SOCKET_TIMEOUT, 0)
        return self._ended()

    def _ended(self) -> Iterator[tuple[Transfer, int, str]]:
        left = 1
        while left:
            left, well, badly = self._multi.info_read()
            for curl in well:
                yield self._finish(curl), 0, ""
            for curl, code, message in badly:
                yield self._finish(curl), code, message

    def _finish(self, curl: Any) -> Transfer:
        self._multi.remove_handle(curl)
        return self._running.pop(curl)

    def abandon(self) -> None:
        """End what still runs, unheard."""
        for curl in list(self._running):
            self.put_back(self._finish(curl))

    def close(self) -> None:
        self.abandon()
        for transfer in self._idle:
            transfer.curl.close()
        self._multi.close()
        self._selector.close()

    def _on_socket(self, what: int, fd: int, _multi: Any, _data: Any) -> None:
        with suppress(KeyError):
            self._selector.unregister(fd)
        if what in _MASKS:
            self._selector.register(fd, _MASKS[what])

    def _on_timer(self, timeout_ms: int) -> None:
        self._due = None if timeout_ms < 0 else self._now() + timeout_ms / 1000
