"""The demo's outside world on loopback: the institutions' feeds, and a consumer that checks signatures."""

import html
import json
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from services.cli.demo import documents
from services.cli.demo.world import DemoInstitution, DemoNotice
from services.domain import signing
from services.errors import BadInput


class Site:
    """What has been published so far, and what the consumer has received; safe in several threads."""

    def __init__(self, region: list[DemoInstitution], now: Callable[[], datetime], *, port: int) -> None:
        self._now = now
        self._lock = threading.Lock()
        self._region = {one.slug: one for one in region}
        self._said: dict[str, list[tuple[DemoNotice, datetime]]] = {slug: [] for slug in self._region}
        self._received: list[tuple[datetime, str, str]] = []
        self._ids: set[str] = set()
        self.secret = ""
        self.server = _serve(self, port)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}"

    def publish(self, slug: str, key: str, at: datetime) -> DemoNotice:
        """Let a notice appear in its institution's feed."""
        notice = next(n for n in self._region[slug].notices if n.key == key)
        with self._lock:
            self._said[slug].insert(0, (notice, at))
        return notice

    def feed(self, slug: str) -> tuple[str, bytes] | None:
        one = self._region.get(slug)
        if one is None or one.format == "push":
            return None
        with self._lock:
            said = list(self._said[slug])
        return documents.CONTENT_TYPES[one.format], documents.write(one, said, site=self.address)

    def receive(self, headers: dict[str, str], body: bytes) -> int:
        """A webhook for the consumer: 204 when its signature holds, 401 when not, doubled ids told apart."""
        message_id = headers.get("webhook-id", "")
        try:
            signing.verify(
                [self.secret],
                message_id=message_id,
                timestamp=headers.get("webhook-timestamp", ""),
                signatures=headers.get("webhook-signature", ""),
                body=body,
                now=self._now(),
            )
            told = json.loads(body)
            said = told["data"]
            line = f"{told['type']}: {said['title'] if 'title' in said else said['message']}"  # or a test
        except (BadInput, ValueError, KeyError, TypeError):
            return 401
        with self._lock:
            note = "signature verified" + (" (again)" if message_id in self._ids else "")
            self._ids.add(message_id)
            self._received.append((self._now(), note, line))
        print(f"webhook received, {note}: {line}", flush=True)
        return 204

    def received_page(self) -> bytes:
        with self._lock:
            rows = [
                f"<li><time>{at:%H:%M:%S}</time> — {html.escape(line)} <small>{note}</small></li>"
                for at, note, line in reversed(self._received)
            ]
        items = "\n".join(rows) or "<li>Nothing yet: the first call comes within seconds.</li>"
        return _PAGE.format(items=items).encode()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


_PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Webhook consumer</title>
<meta name="viewport" content="width=device-width"><meta http-equiv="refresh" content="3">
<style>body{{font:1rem/1.5 system-ui;max-width:50rem;margin:2rem auto;padding:0 1rem}}</style></head>
<body><main><h1>What the webhook consumer received</h1><ul>{items}</ul></main></body></html>"""


def _serve(site: Site, port: int) -> ThreadingHTTPServer:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            if path in ("/", "/received"):
                return self._answer(200, "text/html; charset=utf-8", site.received_page())
            if path.startswith("/feeds/") and (found := site.feed(path.removeprefix("/feeds/"))):
                return self._answer(200, *found)
            return self._answer(404, "text/plain; charset=utf-8", b"There is nothing here.\n")

        def do_POST(self) -> None:
            body = self.rfile.read(min(int(self.headers.get("Content-Length") or 0), 1_000_000))
            headers = {name.lower(): value for name, value in self.headers.items()}
            status = site.receive(headers, body) if self.path == "/receiver" else 404
            self._answer(status, "text/plain; charset=utf-8", b"")

        def _answer(self, status: int, content_type: str, body: bytes) -> None:
            self.send_response(status)
            if status != 204:
                self.send_header("Content-Type", content_type)
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """The site keeps no access log."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 128  # many calls come at once

    try:
        server = Server(("127.0.0.1", port), Handler)
    except OSError:  # somebody else listens there
        server = Server(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, name="demo-site", daemon=True).start()
    return server


def utc_now() -> datetime:
    return datetime.now(UTC)
