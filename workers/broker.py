"""Dramatiq as this project uses it: rings and nothing else, no retries, no delays, no results.

A stage that fails is met again by the sweep, so a failed ring is neither kept nor repeated.
"""

from dramatiq import Middleware, Worker
from dramatiq.middleware import Retries

from services.queue import DoorbellBroker, connect, open_broker

IDLE_POLL_MS = 200  # how long an idle worker may take to hear a ring


def open_worker_broker(redis_url: str, *middleware: Middleware) -> DoorbellBroker:
    return open_broker(connect(redis_url), [Retries(max_retries=0), *middleware])


def make_worker(broker: DoorbellBroker, *, queues: frozenset[str], threads: int) -> Worker:
    worker = Worker(broker, queues=set(queues), worker_threads=threads, worker_timeout=IDLE_POLL_MS)
    # One ring of each stage at a time in a process: further rings wake the other processes.
    worker.queue_prefetch = 1
    return worker
