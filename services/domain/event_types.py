"""The types of events that Goniec tells, each with its version, and what changed in them.

A type's version rises when a body of before would no longer be valid; a member may be added at any time. What
is written here is published as it stands.
"""

from dataclasses import dataclass

from services.domain.events import DIGEST, event_type

TEST = "pl.goniec.test.v1"


@dataclass(frozen=True, slots=True)
class Change:
    """What became of a type on a day (ISO 8601)."""

    at: str
    type: str
    text: str


NOTICE_TYPES = {
    event_type("published"): "An institution published a notice.",
    event_type("revised"): "A notice that was told says something else now.",
    event_type("withdrawn"): "An institution took a notice back.",
    event_type("reminder"): "A deadline of a notice is near.",
}
TYPES = {
    **NOTICE_TYPES,
    DIGEST: "A window closed: its events in one call.",
    TEST: "A test that the endpoint's owner asked for; no notice stands behind it.",
}

CHANGES = (
    *(Change("2026-11-24", name, "new") for name in (*NOTICE_TYPES, TEST)),
    *(
        Change("2026-11-27", name, "`data` may also be thin or a diff, where the endpoint asks for it; "
               "CloudEvents carry `dataschema`")
        for name in NOTICE_TYPES
    ),
    Change("2026-11-27", DIGEST, "new"),
)  # fmt: skip


def schema_url(base_url: str, type_: str, content: str | None = None) -> str:
    """Where the JSON Schema of a type's data is; `content` names its part for one way of telling."""
    return f"{base_url.rstrip('/')}/schemas/{type_}.json" + (f"#{content}" if content else "")
