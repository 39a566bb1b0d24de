"""What a consumer's pages share: whose they are, and the form of an endpoint."""

from dataclasses import dataclass
from typing import Any

from services.errors import BadInput
from services.manage import consumers
from services.manage.accounts import Principal
from services.manage.endpoints import MAX_ATTEMPTS, EndpointView
from services.web.guards import Form
from services.web.visits import Visit

ZONE = "Europe/Warsaw"
MAX_DIGITS = 9


@dataclass(frozen=True, slots=True)
class Own:
    """One visit of a consumer's pages; `base` is where they begin."""

    here: Visit
    who: Principal
    base: str

    @classmethod
    def of(cls, here: Visit, token: str) -> "Own":
        """Raises BadInput and Unauthorized for a link that is false, old or ended."""
        return cls(here, consumers.bearer(here.rt, token), f"/endpoints/{token}")

    def frame(self, **context: object) -> dict[str, object]:
        return {"base": self.base, "consumer": self.who.consumer_name, "zone": ZONE, **context}


@dataclass(frozen=True, slots=True)
class Wished:
    """An endpoint as its form has it."""

    url: str = ""
    label: str = ""
    query: str = ""
    format: str = "standard"
    content: str = "fat"
    cadence: str = "instant"
    signatures: str = "v1"
    pace: str = ""
    is_ordered: bool = False
    schedule: str = ""

    @classmethod
    def read(cls, sent: Form) -> "Wished":
        return cls(
            sent.one("url"), sent.one("label"), sent.one("q"), sent.one("format") or "standard",
            sent.one("content") or "fat", sent.one("cadence") or "instant",
            sent.one("signatures") or "v1", sent.one("pace"), bool(sent.one("ordered")), sent.one("schedule"),
        )  # fmt: skip

    @classmethod
    def of(cls, view: EndpointView) -> "Wished":
        pace = "" if view.max_per_s is None else f"{view.max_per_s:g}"
        waits = ", ".join(str(one) for one in view.schedule_s or ())
        return cls(
            view.url, view.label or "", view.query, view.format, view.content, view.cadence,
            view.signatures, pace, view.is_ordered, waits,
        )  # fmt: skip

    def settings(self) -> dict[str, Any]:
        """What `endpoints.patch` takes. Raises BadInput for what is no number."""
        return {
            "url": self.url, "label": self.label or None, "query": self.query, "format": self.format,
            "content": self.content, "cadence": self.cadence, "max_per_s": _pace(self.pace),
            "is_ordered": self.is_ordered, "schedule_s": _waits(self.schedule),
        }  # fmt: skip


def _pace(text: str) -> float:
    try:
        return float(text.replace(",", ".")) if text else 0.0
    except ValueError as error:
        raise BadInput("The pace is a number.", field="max_per_s") from error


def _waits(text: str) -> list[int]:
    parts = [one.strip() for one in text.split(",") if one.strip()]
    if len(parts) > MAX_ATTEMPTS or not all(
        one.isascii() and one.isdecimal() and len(one) < MAX_DIGITS for one in parts
    ):
        raise BadInput("A schedule is seconds with commas between.", field="schedule_s")
    return [int(one) for one in parts]
