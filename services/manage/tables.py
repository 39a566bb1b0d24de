"""The database's tables: are they those of this version, and make them so. Raises Unavailable."""

from services.runtime import Runtime
from services.storage import condition


def are_current(rt: Runtime) -> bool:
    return condition.look(rt.engine).is_current


def migrate(rt: Runtime) -> bool:
    """Bring them to this version; False when they were there already. Safe to run twice at once."""
    if condition.look(rt.engine).is_current:
        return False
    condition.migrate(rt.engine)
    return True
