"""Topics as stored queries: a notice that says nothing of its topics gets those whose query it meets.

The queries are written in the interest language; `DEFAULTS` are the region's; an operator may replace each.
"""

import json
from collections.abc import Mapping
from datetime import datetime
from importlib.resources import files
from types import MappingProxyType

from services.interests import language
from services.interests.evaluate import meets, witnesses
from services.interests.reading import Reading


def _read() -> dict[str, str]:
    text = files("services.domain").joinpath("data/topics.json").read_text(encoding="utf-8")
    rules: dict[str, str] = json.loads(text)
    return rules


DEFAULTS: Mapping[str, str] = MappingProxyType(_read())
"""{topic: query}"""


class Classifier:
    """Holds one set of queries, read once. Pure; safe in several threads."""

    def __init__(self, rules: Mapping[str, str]) -> None:
        self._queries = {topic: language.parse(rule) for topic, rule in rules.items() if rule.strip()}

    def topics(self, reading: Reading, now: datetime) -> tuple[str, ...]:
        """The topics whose query the document meets, in the order of the rules."""
        return tuple(topic for topic, query in self._queries.items() if meets(query, reading, now))

    def reasons(self, reading: Reading, now: datetime) -> dict[str, frozenset[str]]:
        """{topic: the conditions that made it so}."""
        return {
            topic: witnesses(query, reading, now)
            for topic, query in self._queries.items()
            if meets(query, reading, now)
        }
