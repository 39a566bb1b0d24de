"""The JSON that callers send: strict forms, in which an unknown field is an error and never a surprise."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictBool, WithJsonSchema, model_validator

from services.api.texts import (
    Body,
    Cadence,
    Definition,
    Email,
    HookUrl,
    Key,
    Label,
    LanguageCode,
    MuteValue,
    Place,
    Query,
    Summary,
    Time,
    Title,
    Topic,
    WebUrl,
    Whole,
    Zone,
)
from services.domain.drafts import Draft
from services.domain.events import event_type
from services.domain.mutes import MuteKind
from services.domain.notices import Audience, NoticeKind

Format = Literal["standard", "cloudevents", "cloudevents-binary", "cloudevents-batch"]
Content = Annotated[
    Literal["fat", "thin", "diff"],
    Field(description="The notice whole; where to fetch it; or what changed since this endpoint was told."),
]
CallCadence = Annotated[
    Cadence, Field(description="`instant`: each event at once; else what a window brought comes in one call.")
]
Signatures = Literal["v1", "v1a", "both"]
Locale = Literal["pl", "en"]
MAX_BATCH = 1_000


class Sent(BaseModel):
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True, str_max_length=1_000_000)


class NoticeIn(Sent):
    """A notice as its institution tells it."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "key": "2026/114",
                    "kind": "call",
                    "title": "Nabór: bony na badania dla małych i średnich firm",
                    "summary": "Wnioski do 15 stycznia.",
                    "url": "https://um.example/nabor/114",
                    "language": "pl",
                    "topics": ["funding"],
                    "places": ["0463011"],
                    "audience": ["company"],
                    "deadline_at": "2027-01-15T15:30:00+01:00",
                }
            ]
        }
    )

    key: Key
    title: Title
    kind: NoticeKind = NoticeKind.NEWS
    summary: Summary = ""
    body_html: Annotated[Body, Field(description="HTML; what is not safe in it is taken out.")] = ""
    url: WebUrl | None = None
    language: LanguageCode | None = None
    topics: Annotated[list[Topic], Field(max_length=20)] = []
    places: Annotated[list[Place], Field(max_length=50, description="TERYT codes.")] = []
    audience: Annotated[list[Audience], Field(max_length=20)] = []
    deadline_at: Time | None = None
    starts_at: Time | None = None
    ends_at: Time | None = None
    commercial: StrictBool = False
    urgent: StrictBool = False

    def draft(self) -> Draft:
        return Draft(
            key=self.key,
            title=self.title,
            kind=self.kind.value,
            summary=self.summary,
            body_html=self.body_html,
            url=self.url,
            language=self.language,
            topics=tuple(self.topics),
            places=tuple(self.places),
            audience=tuple(one.value for one in self.audience),
            deadline_at=self.deadline_at,
            starts_at=self.starts_at,
            ends_at=self.ends_at,
            commercial=self.commercial,
            urgent=self.urgent,
        )


Many = Annotated[
    list[Any],
    Field(min_length=1, max_length=MAX_BATCH),
    WithJsonSchema(
        {
            "type": "array",
            "minItems": 1,
            "maxItems": MAX_BATCH,
            "items": {"description": "A NoticeIn. Anything else is refused alone."},
        }
    ),
]


class BatchIn(Sent):
    """Up to 1,000 notices; each is judged for itself, so that one bad item harms no other."""

    items: Many


_Attribute = Annotated[str, Field(min_length=1, max_length=2_000)]


class _EventIn(BaseModel):
    """What every CloudEvent of ours has; unknown attributes are extensions, and are left alone."""

    model_config = ConfigDict(
        extra="ignore",
        hide_input_in_errors=True,
        json_schema_extra={
            "propertyNames": {"pattern": "^[a-z0-9]{1,40}$"},
            "additionalProperties": {"type": ["string", "boolean", "integer", "null"]},
        },
    )

    specversion: Literal["1.0"]
    id: Key
    source: _Attribute
    subject: Annotated[Key | None, Field(description="The notice's key, where `data` has none.")] = None
    time: Time | None = None
    datacontenttype: Literal["application/json"] | None = None
    dataschema: WebUrl | None = None

    @model_validator(mode="before")
    @classmethod
    def _key_of_subject(cls, value: Any) -> Any:
        if isinstance(value, dict) and isinstance(data := value.get("data"), dict) and "key" not in data:
            subject = value.get("subject")
            return {**value, "data": {**data, "key": subject}} if subject is not None else value
        return value


class TellingEvent(_EventIn):
    """A notice published or revised: which of the two, Goniec finds out itself."""

    type: Literal["pl.goniec.notice.published.v1", "pl.goniec.notice.revised.v1"]
    data: NoticeIn


class NamedNotice(Sent):
    key: Key


class WithdrawingEvent(_EventIn):
    type: Literal["pl.goniec.notice.withdrawn.v1"]
    data: NamedNotice


TELLING = frozenset({event_type("published"), event_type("revised")})
WITHDRAWING = event_type("withdrawn")


class WishIn(Sent):
    """What to be told of, and how often."""

    query: Query
    label: Label | None = None
    cadence: Cadence = "daily@07:00"


class SignUpIn(Sent):
    """A wish for mail; nothing is sent but a letter that asks for confirmation."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "email": "reader@example.com",
                    "interests": [{"query": "topic:funding place:0463011", "cadence": "daily@07:00"}],
                    "locale": "pl",
                    "timezone": "Europe/Warsaw",
                }
            ]
        }
    )

    email: Email
    interests: Annotated[list[WishIn], Field(min_length=1, max_length=20)]
    locale: Locale = "pl"
    timezone: Zone = "Europe/Warsaw"
    commercial: Annotated[StrictBool, Field(description="Whether commercial notices are wanted too.")] = False


class SubscriptionPatch(Sent):
    """Only what is given changes."""

    query: Query | None = None
    label: Label | None = None
    cadence: Cadence | None = None
    paused_until: Annotated[
        Time | None, Field(description="Null, or a time that has passed, ends the pause.")
    ] = None


class MuteIn(Sent):
    """What to be told of no more; without `until`, until it is lifted."""

    kind: MuteKind
    value: Annotated[
        MuteValue,
        Field(description="An institution's slug; a word or query; the id of a story, or of a subscription."),
    ]
    until: Annotated[Time | None, Field(description="A time that has passed ends the mute.")] = None


class EndpointIn(Sent):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"url": "https://hooks.example/goniec", "query": "topic:funding", "format": "standard"}
            ]
        }
    )

    url: HookUrl
    query: Query
    label: Label | None = None
    format: Format = "standard"
    content: Content = "fat"
    cadence: CallCadence = "instant"
    timezone: Zone = "Europe/Warsaw"
    signatures: Signatures = "v1"


class TopicIn(Sent):
    query: Annotated[
        Definition,
        Field(description="Of words, kinds and audiences. Empty: sources and editors alone assign it."),
    ]


class EndpointPatch(Sent):
    """Only what is given changes."""

    url: HookUrl | None = None
    query: Query | None = None
    label: Label | None = None
    format: Format | None = None
    content: Content | None = None
    cadence: CallCadence | None = None
    timezone: Zone | None = None
    state: Literal["active", "paused"] | None = None
    max_per_s: Annotated[
        float | None, Field(ge=0, le=10_000, strict=True, description="Calls a second at most; 0: no limit.")
    ] = None
    is_ordered: Annotated[
        StrictBool | None, Field(description="One call at a time from each institution, in the log's order.")
    ] = None
    schedule_s: Annotated[
        list[Annotated[int, Field(ge=0, le=604_800), Whole]] | None,
        Field(max_length=20, description="Seconds before each attempt; empty: the standard's schedule."),
    ] = None


class ContactIn(Sent):
    email: Email
    locale: Locale = "pl"


class RotateIn(Sent):
    overlap_hours: Annotated[
        int, Field(ge=0, le=168, description="How long the old secret signs as well."), Whole
    ] = 24
    signatures: Annotated[Signatures | None, Field(description="How it is signed from now on.")] = None
