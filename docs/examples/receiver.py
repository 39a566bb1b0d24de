"""Takes signed webhooks. Start it: WEBHOOK_SECRET=whsec_… PORT=9000 python receiver.py"""

import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from verify import is_signed

KEYS = os.environ["WEBHOOK_SECRET"].split()  # while you rotate, both, with a space between
SEEN = set()  # in earnest: a unique column in your database


class Receiver(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        is_ours, uid = is_signed(self.headers, body, KEYS), self.headers.get("webhook-id", "")
        if is_ours and uid not in SEEN:
            SEEN.add(uid)
            print(uid, body.decode(), flush=True)
        self.send_response(204 if is_ours else 401)
        self.end_headers()


ThreadingHTTPServer(("", int(os.environ["PORT"])), Receiver).serve_forever()
