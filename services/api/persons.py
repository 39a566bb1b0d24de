"""A person's own settings, as they are sent and as they are told."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import ConfigDict, Field

from services.api.answers import Told
from services.api.schemas import Locale, Sent
from services.api.texts import Cadence, Rule, Time, Whole, Zone
from services.domain.reach import MAX_BUDGET
from services.manage.preferences import quiet_pair

Quiet = Annotated[
    str,
    Rule(
        11, "Write quiet hours as 22:00-07:00; they may span midnight.", least=9, format="goniec-hours",
        example="22:00-07:00", read=lambda text: "-".join(filter(None, quiet_pair(text))),
    ),
]  # fmt: skip


class Preferences(Told):
    """When and how letters come."""

    email: str
    cadence: Annotated[str, Field(description="The usual one; interests that follow it change with it.")]
    quiet_hours: Annotated[str | None, Field(description="Local time; only what is urgent comes then.")]
    daily_budget: Annotated[int | None, Field(description="The most stories in a day; null: no limit.")]
    paused_until: datetime | None
    locale: str
    timezone: str


def _of_a_patch(schema: dict[str, Any]) -> None:
    """What is left out stays as it is: no field has a default to be told."""
    for field in schema["properties"].values():
        field.pop("default", None)
    schema["examples"] = [{"quiet_hours": "22:00-07:00", "daily_budget": 10}]


class PreferencesPatch(Sent):
    """Only what is given changes."""

    model_config = ConfigDict(json_schema_extra=_of_a_patch)

    cadence: Cadence = "daily@07:00"
    quiet_hours: Annotated[Quiet | None, Field(description="Null: none.")] = None
    daily_budget: Annotated[
        Annotated[int, Field(ge=1, le=MAX_BUDGET), Whole] | None, Field(description="Null: no limit.")
    ] = None
    paused_until: Annotated[
        Time | None, Field(description="Null, or a time that has passed, ends the pause.")
    ] = None
    locale: Locale = "pl"
    timezone: Zone = "Europe/Warsaw"
