"""A worker process: answers rings until it is asked to stop, then finishes what it has in hand.

It must outlive Redis: a broker that goes away and returns is waited for, never a reason to end.
"""

import os
import signal
import threading
from collections.abc import Callable, Iterable

from dramatiq import Worker

from services import log
from services.pipeline import match, poll
from services.queue import Stage
from services.runtime import Runtime
from services.settings import Settings
from workers import actors
from workers.broker import make_worker, open_worker_broker
from workers.children import Child, Children, python
from workers.unrung import Unrung

THREADS = len(Stage)  # each stage can always run
DRAIN_S = 20.0  # for the batches in hand; what is longer is handed on by its lease
_log = log.get(__name__)


def run(settings: Settings, *, queues: Iterable[str] = (), processes: int = 1, threads: int = THREADS) -> int:
    """Work until SIGTERM or SIGINT; the exit code. With several processes, each is kept alive by this one."""
    names = frozenset(Stage(name) for name in queues) or frozenset(Stage)
    if processes == 1:
        return work(settings, queues=names, threads=threads)
    options = [f"--queues={','.join(sorted(names))}", "--processes=1", f"--threads={threads}"]
    children = [
        Child(f"worker {number}", python("services.cli", "worker", *options))
        for number in range(1, processes + 1)
    ]
    return Children(settings, children).run()


def work(settings: Settings, *, queues: frozenset[str], threads: int) -> int:
    """One process, in this one: built, run, drained."""
    stop = threading.Event()
    listen_for_signals(stop.set)
    rt = Runtime.open(settings)
    broker = open_worker_broker(settings.redis_url or "")
    with poll.kept_warm() as poll_run:
        stages = {**actors.STAGES, Stage.POLL: poll_run}
        actors.declare(broker, rt, stages)
        worker = make_worker(broker, queues=queues, threads=threads)
        worker.start()
        if Stage.MATCH in queues:
            threading.Thread(target=match.attend, args=(rt,), name="attend", daemon=True).start()
        unrung = Unrung(rt, {stage: run for stage, run in stages.items() if stage in queues})
        threading.Thread(target=unrung.attend, name="unrung", daemon=True).start()
        _log.info("worker.started", queues=sorted(queues), pid=os.getpid())
        stop.wait()
        rt.stopping.set()
        has_drained = drain(worker) and unrung.wait(DRAIN_S)
        _log.info("worker.stopped", drained=has_drained, pid=os.getpid())
        if not has_drained:
            os._exit(0)  # a thread that waits for a dead Redis would hold the process for ever
    rt.close()
    return 0


def drain(worker: Worker, *, within_s: float = DRAIN_S) -> bool:
    """Stop the worker; False when something did not finish in time (its leases run out by themselves)."""
    stopping = threading.Thread(target=worker.stop, kwargs={"timeout": int(within_s * 1000)}, daemon=True)
    stopping.start()
    stopping.join(within_s)
    return not stopping.is_alive() and not any(thread.is_alive() for thread in worker.workers)


def listen_for_signals(stop: Callable[[], object]) -> None:
    """SIGTERM and SIGINT ask to stop; the second one does not hurry anything."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop() and None)
