"""What is not needed any more goes by itself."""

from datetime import timedelta

from services.clock import FrozenClock
from services.errors import NotFound
from services.manage import housekeeping, subscribers
from services.manage.subscriptions import Wish
from services.runtime import Runtime


def test_a_sign_up_that_nobody_confirmed_is_forgotten(rt: Runtime, clock: FrozenClock) -> None:
    subscribers.sign_up(rt, email="a@example.org", interests=[Wish("topic:health")], locale="pl", via="test")
    clock.advance(timedelta(days=30))
    housekeeping.tidy(rt)
    assert not _is_known(rt, "a@example.org")


def test_a_fresh_sign_up_is_kept(rt: Runtime) -> None:
    subscribers.sign_up(rt, email="a@example.org", interests=[Wish("topic:health")], locale="pl", via="test")
    housekeeping.tidy(rt)
    assert _is_known(rt, "a@example.org")


def _is_known(rt: Runtime, email: str) -> bool:
    try:
        subscribers.show(rt, email)
    except NotFound:
        return False
    return True
