"""What our matcher is held against, over the same compiled interests and the same atoms of events."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Engine, text

from services.interests.atoms import Atom
from services.interests.compiled import CompiledInterest, CompiledPart

Interests = Sequence[tuple[int, CompiledInterest]]


class Naive:
    """Every interest in turn, in plain Python: sets of atoms, nothing indexed."""

    def __init__(self, interests: Interests) -> None:
        self._parts = [
            (
                interest_id,
                tuple(frozenset(a for one in clause for a in one.atoms) for clause in part.clauses),
                frozenset(a for one in part.excluded for a in one.atoms),
            )
            for interest_id, interest in interests
            for part in interest.parts
        ]

    def match(self, emitted: Iterable[Atom]) -> list[int]:
        had = set(emitted)
        found = {
            interest_id
            for interest_id, clauses, excluded in self._parts
            if not any(clause.isdisjoint(had) for clause in clauses) and excluded.isdisjoint(had)
        }
        return sorted(found)


class Postgres:
    """A row for each alternative and atom of its rarest clause: found by a B-tree, verified by a tsquery."""

    def __init__(self, engine: Engine, interests: Interests, events: Iterable[Iterable[Atom]]) -> None:
        self._engine = engine
        self._numbers: dict[Atom, int] = {}
        self._frequency = Counter(atom for emitted in events for atom in emitted)
        with engine.begin() as connection:
            connection.execute(text("DROP TABLE IF EXISTS anchors"))
            connection.execute(
                text("CREATE UNLOGGED TABLE anchors (anchor integer, interest_id bigint, query tsquery)")
            )
            driver: Any = connection.connection.driver_connection
            with driver.cursor() as cursor, cursor.copy("COPY anchors FROM STDIN") as copy:
                for interest_id, interest in interests:
                    for row in self._rows(interest_id, interest):
                        copy.write_row(row)
            connection.execute(text("CREATE INDEX ON anchors (anchor)"))
            connection.execute(text("CREATE INDEX ON anchors (interest_id)"))
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("VACUUM ANALYZE anchors"))

    @property
    def size_mb(self) -> float:
        with self._engine.begin() as connection:
            return float(connection.scalar(text("SELECT pg_total_relation_size('anchors')")) or 0) / 2**20

    def match(self, emitted: Iterable[Atom]) -> list[int]:
        numbers = [self._number(atom) for atom in emitted]
        bound = {"numbers": numbers, "lexemes": [f"a{number}" for number in numbers]}
        with self._engine.begin() as connection:
            return sorted(connection.scalars(_FIND, bound))

    def add(self, interest_id: int, interest: CompiledInterest) -> None:
        with self._engine.begin() as connection:
            for row in self._rows(interest_id, interest):
                connection.execute(_ADD, dict(zip(("anchor", "id", "query"), row, strict=True)))

    def remove(self, interest_id: int) -> None:
        with self._engine.begin() as connection:
            connection.execute(text("DELETE FROM anchors WHERE interest_id = :id"), {"id": interest_id})

    def _rows(self, interest_id: int, interest: CompiledInterest) -> Iterable[tuple[int, int, str]]:
        for part in interest.parts:
            clauses = [frozenset(a for one in clause for a in one.atoms) for clause in part.clauses]
            rarest = min(clauses, key=lambda clause: sum(self._frequency[atom] for atom in clause))
            query = self._query(clauses, part)
            yield from ((self._number(atom), interest_id, query) for atom in rarest)

    def _query(self, clauses: Iterable[frozenset[Atom]], part: CompiledPart) -> str:
        wanted = [f"( {' | '.join(self._lexemes(clause))} )" for clause in clauses]
        barred = [f"!{one}" for one in self._lexemes(a for c in part.excluded for a in c.atoms)]
        return " & ".join([*wanted, *barred])

    def _lexemes(self, atoms: Iterable[Atom]) -> list[str]:
        return [f"'a{self._number(atom)}'" for atom in atoms]

    def _number(self, atom: Atom) -> int:
        return self._numbers.setdefault(atom, len(self._numbers))


_FIND = text("""
    SELECT DISTINCT interest_id FROM anchors
    WHERE anchor = ANY(:numbers) AND array_to_tsvector(CAST(:lexemes AS text[])) @@ query
""")
_ADD = text("INSERT INTO anchors VALUES (:anchor, :id, CAST(:query AS tsquery))")
