"""What something costs, where a test asks only that it is nowhere near what a quadratic way would take."""

import time
from collections.abc import Callable


def cpu_s(act: Callable[[], object], *, times: int = 3) -> float:
    """Seconds of this thread's processor, the least of so many times: a garbage collection in the middle, or
    what is loaded at first use, is no fault of what is measured."""
    spent = []
    for _ in range(times):
        began = time.thread_time()
        act()
        spent.append(time.thread_time() - began)
    return min(spent)
