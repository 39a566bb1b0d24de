"""Redis is the doorbell and nothing more: while it is away the work goes on."""

import threading
import time

from services.pipeline import compose, deliver, match
from services.queue import Stage
from tests.conftest import OpenRuntime
from tests.doubles.smtp import SmtpSink
from tests.doubles.web import Answer, WebDouble
from tests.factories import listener, publish, reader
from workers.unrung import Unrung

NOBODY = "redis://127.0.0.1:9/0"
STAGES = {
    Stage.MATCH: match.run,
    Stage.COMPOSE: compose.run,
    Stage.DELIVER_MAIL: deliver.run_mail,
    Stage.DELIVER_WEBHOOK: deliver.run_webhooks,
}


def test_mail_and_calls_leave_while_redis_is_away(open_runtime: OpenRuntime) -> None:
    with SmtpSink() as mails, WebDouble() as receiver:
        receiver.answer("*", Answer(status=204))
        rt = open_runtime(redis_url=NOBODY, mail="smtp", smtp_url=mails.url)
        reader(rt)
        listener(rt, receiver.url("/hook"))
        publish(rt)
        unrung = Unrung(rt, STAGES)
        for _ in STAGES:
            unrung.look()
            assert unrung.wait(20)
        assert len(receiver.received) == 1
        assert len(mails.received) == 1


def test_a_stage_that_is_at_it_is_not_begun_twice(open_runtime: OpenRuntime) -> None:
    rt = open_runtime(redis_url=NOBODY)
    publish(rt)
    begun: list[float] = []
    goes_on = threading.Event()

    def works(_: object) -> None:
        begun.append(time.monotonic())
        goes_on.wait(20)

    unrung = Unrung(rt, {Stage.MATCH: works})
    unrung.look()
    unrung.look()
    goes_on.set()
    assert unrung.wait(20)
    assert len(begun) == 1


def test_it_stays_quiet_while_the_bell_answers(open_runtime: OpenRuntime) -> None:
    rt = open_runtime()
    publish(rt)
    begun: list[object] = []
    unrung = Unrung(rt, {Stage.MATCH: begun.append})
    looking = threading.Thread(target=unrung.attend)
    looking.start()
    time.sleep(1.5)
    rt.stopping.set()
    looking.join(10)
    assert not looking.is_alive()
    assert begun == []
