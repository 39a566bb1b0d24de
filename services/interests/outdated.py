"""Which interests another analyser would hold otherwise: those with a condition of other atoms now.

A million interests share some ten thousands of conditions: to look at these is quick, to compile is not.
"""

from pyroaring import BitMap64

from services.errors import QueryError
from services.interests import language
from services.interests import rows as sets
from services.interests.atoms import leaf_atoms
from services.interests.canonical import leaf_text
from services.interests.compiled import Condition
from services.interests.table import Table
from services.interests.text import Analyser
from services.interests.tree import And, Not, Or


def outdated(table: Table, analyser: Analyser) -> BitMap64:
    """The ids of the interests to be compiled anew; may hold a few that need not be."""
    conditions = table.conditions
    keys = {
        key
        for number, condition, _ in conditions.used()
        if not _is_current(condition, analyser)
        for key in conditions.keys((number,))
    }
    return BitMap64(table.owners_of(sets.union(rows for key in keys for _, rows in table.satisfied(key))))


def _is_current(condition: Condition, analyser: Analyser) -> bool:
    try:
        leaf = language.recall(condition.text)
    except QueryError:
        return False
    if isinstance(leaf, And | Or | Not) or leaf_text(leaf) != condition.text:
        return False
    return leaf_atoms(leaf, analyser) == frozenset(condition.atoms)
