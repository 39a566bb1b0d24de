"""The matcher of a process, kept fresh: one index, the horizon up to which it knows, and a lock.

Pure but for its lock: who reads the change log hands the changes in.
"""

import threading
from collections.abc import Iterable, Sequence
from datetime import datetime

from services.errors import QueryError
from services.interests import language
from services.interests.atoms import event_atoms
from services.interests.documents import Document
from services.interests.index import Hit, Matcher, compile_query
from services.interests.text import Analyser


class LiveIndex:
    """Safe in several threads; matching and changing take turns."""

    def __init__(self, analyser: Analyser) -> None:
        self._analyser = analyser
        self._matcher = Matcher()
        self._lock = threading.Lock()
        self.horizon: str | None = None

    def refresh(self, changes: Iterable[tuple[int, str, bool]], horizon: str) -> list[int]:
        """Take in changes (interest id, canonical form, is it used); the ids that could not be compiled.

        Telling a change again harms nothing.
        """
        refused = []
        with self._lock:
            for interest_id, canonical, is_live in changes:
                self._matcher.remove(interest_id)
                if is_live and not self._add(interest_id, canonical):
                    refused.append(interest_id)
            self.horizon = horizon
        return refused

    def _add(self, interest_id: int, canonical: str) -> bool:
        try:
            compiled = compile_query(language.parse(canonical), self._analyser)
        except (QueryError, ValueError):  # a canonical form that an older version allowed
            return False
        self._matcher.add(interest_id, compiled)
        return True

    def match(self, document: Document, now: datetime) -> Sequence[Hit]:
        """Every interest that the document meets, with its witnesses."""
        atoms = event_atoms(document, self._analyser, now)
        with self._lock:
            return self._matcher.match(atoms)
