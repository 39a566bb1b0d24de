"""The matcher of a process, kept fresh: what it knows, up to where in the log, and what of it is saved.

Pure but for its lock: who reads the change log and the snapshots hands them in.
"""

import threading
import zlib
from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import islice

from pyroaring import BitMap64

from services.errors import QueryError
from services.interests import language, snapshot
from services.interests.atoms import event_atoms
from services.interests.compiled import CompiledInterest, Compiler
from services.interests.documents import Document
from services.interests.index import Hit, Matcher
from services.interests.outdated import outdated
from services.interests.text import Analyser

Change = tuple[int, str, bool]  # interest id, canonical form, is it used


class LiveIndex:
    """Safe in several threads. Who brings it up to date keeps its `turn` from reading the log to telling it.

    `seen` are the entries of the log at or beyond `horizon` that were told already.
    """

    def __init__(self, analyser: Analyser) -> None:
        self._analyser = analyser
        self._compiler = Compiler(analyser)
        self._matcher = Matcher()
        self.turn = threading.RLock()
        self.horizon: str | None = None
        self.seen: frozenset[int] = frozenset()
        self.unsaved = 0

    def __len__(self) -> int:
        return len(self._matcher)

    def refresh(self, changes: Iterable[Change]) -> list[int]:
        """Take in changes; the ids that could not be compiled. Telling a change again harms nothing."""
        refused = []
        for interest_id, canonical, is_live in changes:
            self.unsaved += 1
            if not is_live:
                self._matcher.remove(interest_id)
            elif not self._add(interest_id, canonical):
                refused.append(interest_id)
        return refused

    def reconcile(self, live: Sequence[int]) -> list[int]:
        """Forget whatever is not among these ids; returns those of them that are not known yet."""
        known, wanted = self._matcher.known(), BitMap64(live)
        for interest_id in known - wanted:
            self._matcher.remove(interest_id)
        return list(wanted - known)

    def settle(self) -> None:
        """After many were taken in at once: give back what memory that left over."""
        self._matcher.settle()

    def snapshot(self) -> bytes:
        """All that is known, for `restore`; what changes from now on is unsaved."""
        with self.turn:
            self.unsaved = 0
            body = self._matcher.dump(self._analyser.name)
        return zlib.crc32(body).to_bytes(4, "big") + body

    def restore(self, data: bytes) -> bool:
        """Begin from a snapshot; False when it is none for this process, and nothing has changed.

        Of one that another analyser made, only the interests are kept whose words mean the same now: the
        others are unknown, as `reconcile` will say.
        """
        body = memoryview(data)[4:]
        if zlib.crc32(body).to_bytes(4, "big") != data[:4]:
            return False
        try:
            maker = snapshot.maker(body)
            table = snapshot.load(body, analyser=maker)
        except snapshot.Unfit:
            return False
        if maker != self._analyser.name:
            for interest_id in outdated(table, self._analyser):
                table.remove(interest_id)
            self.unsaved = len(table)
        self._matcher = Matcher(table)
        return True

    def sample(self, number: int) -> list[int]:
        """About so many of the interests that are known, from all over."""
        known = self._matcher.known()
        return list(islice(known, 0, None, max(1, len(known) // number)))

    def agrees(self, asked: Iterable[Change]) -> bool:
        """Whether what is known of these interests is what they ask for, where that can be read."""
        expected = ((interest_id, self._conditions(canonical)) for interest_id, canonical, _ in asked)
        return all(
            not texts or self._matcher.asked_by(interest_id) == texts for interest_id, texts in expected
        )

    def become(self, other: "LiveIndex") -> None:
        """Be what another has become; who matches at this moment ends with what was known before."""
        with self.turn:
            self._matcher, self.unsaved = other._matcher, other.unsaved
            self.horizon, self.seen = other.horizon, other.seen

    def match(self, document: Document, now: datetime) -> Sequence[Hit]:
        """Every interest that the document meets, with its witnesses."""
        return self._matcher.match(event_atoms(document, self._analyser, now))

    def _add(self, interest_id: int, canonical: str) -> bool:
        compiled = self._compiled(canonical)
        if compiled is None:
            self._matcher.remove(interest_id)
            return False
        self._matcher.add(interest_id, compiled)
        return True

    def _compiled(self, canonical: str) -> CompiledInterest | None:
        try:
            return self._compiler.compile(language.recall(canonical))
        except (QueryError, ValueError):  # a canonical form that an older version allowed
            return None

    def _conditions(self, canonical: str) -> set[str]:
        compiled = self._compiled(canonical)
        clauses = [(*part.clauses, part.excluded) for part in compiled.parts] if compiled else []
        return {condition.text for part in clauses for clause in part for condition in clause}
