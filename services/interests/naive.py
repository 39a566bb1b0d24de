"""The matcher's oracle: every interest in turn, straight from its tree. For tests and comparisons alone."""

from services.interests.atoms import EventAtoms
from services.interests.evaluate import meets, witnesses
from services.interests.index import CompiledInterest, Hit


class NaiveMatcher:
    """The same interface as the matcher, and nothing of its ways."""

    def __init__(self) -> None:
        self._interests: dict[int, CompiledInterest] = {}

    def add(self, interest_id: int, compiled: CompiledInterest) -> None:
        self._interests[interest_id] = compiled

    def remove(self, interest_id: int) -> None:
        self._interests.pop(interest_id, None)

    def match(self, event: EventAtoms) -> list[Hit]:
        return [
            Hit(interest_id, tuple(sorted(witnesses(compiled.query, event.reading, event.now))))
            for interest_id, compiled in sorted(self._interests.items())
            if meets(compiled.query, event.reading, event.now)
        ]
