"""Real engines for whoever has none: PostgreSQL and Redis in the data folder, over sockets alone.

    start           the engines of a data folder, for as long as the caller lives; one holder at a time
    connect         the same, or those that a running Goniec already holds
    start_scratch   quick ones that may forget, for tests and benchmarks
    bound_to_parent a command that ends with whoever runs it

It must never listen on a network, nor start what an address was given for.
"""

from services.embedded.engines import Engines, connect, start, start_scratch
from services.embedded.process import bound_to_parent

__all__ = ["Engines", "bound_to_parent", "connect", "start", "start_scratch"]
