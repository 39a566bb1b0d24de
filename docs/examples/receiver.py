"""Takes signed webhooks. Start it: WEBHOOK_SECRET=whsec_… PORT=9000 python receiver.py"""

import base64
import hmac
import os
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

KEY = base64.b64decode(os.environ["WEBHOOK_SECRET"].removeprefix("whsec_"))
SEEN = set()  # in earnest: a unique column in your database


class Receiver(BaseHTTPRequestHandler):
    def do_POST(self):
        uid, at, given = (self.headers.get(f"webhook-{n}", "") for n in ("id", "timestamp", "signature"))
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        mac = hmac.digest(KEY, f"{uid}.{at}.".encode() + body, "sha256")
        right = b"v1," + base64.b64encode(mac)
        is_signed = any(hmac.compare_digest(right, one.encode()) for one in given.split())
        is_fresh = at.isdecimal() and abs(time.time() - int(at)) < 300
        if is_signed and is_fresh and uid not in SEEN:
            SEEN.add(uid)
            print(uid, body.decode(), flush=True)
        self.send_response(204 if is_signed and is_fresh else 401)
        self.end_headers()


ThreadingHTTPServer(("", int(os.environ["PORT"])), Receiver).serve_forever()
