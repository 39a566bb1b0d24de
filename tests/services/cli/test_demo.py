"""The demo goes on where it was."""

from services.cli.demo.play import CONSUMER, add_consumer
from services.cli.demo.site import Site
from services.manage import calls, endpoints
from services.runtime import Runtime


def test_a_demo_that_starts_again_keeps_what_waits_for_its_consumer(rt: Runtime) -> None:
    seen = []
    for _ in range(2):
        site = Site([], rt.clock.now, port=0)
        try:
            add_consumer(rt, site)
            [endpoint] = endpoints.list_for(rt, CONSUMER)
            assert calls.test(rt, CONSUMER, endpoint.uid).is_ok
            seen.append((endpoint.uid, site.secret))
        finally:
            site.close()
    (first, old), (second, new) = seen
    assert first == second
    assert old != new
