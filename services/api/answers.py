"""The JSON that callers get, as OpenAPI tells it."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field


class Told(BaseModel):
    model_config = ConfigDict(from_attributes=True)


Next = Annotated[str | None, Field(description="Give it as `after` for what follows; null at the end.")]


class InstitutionName(Told):
    slug: str
    name: str


class Notice(Told):
    """A notice as everybody sees it. Times are RFC 3339 with an offset."""

    id: int
    key: str
    revision: int
    kind: str
    title: str
    summary: str
    url: str | None
    language: str | None
    topics: list[str]
    places: list[str]
    audience: list[str]
    institution: InstitutionName
    source: int
    story: int
    published_at: datetime
    fetched_at: datetime
    deadline_at: datetime | None
    starts_at: datetime | None
    ends_at: datetime | None
    commercial: bool
    withdrawn_at: datetime | None


class WholeNotice(Notice):
    body_html: str


class Notices(Told):
    items: list[Notice]
    next: Next


class Counterpart(Told):
    """Another notice that offers what this one needs, or needs what it offers, and why.

    `words` are those that both hold, as the other has them; `place` is the code of what both lie in;
    `audience`: one is meant for such as the other's institution.
    """

    notice: Notice
    score: float
    topics: list[str]
    words: list[str]
    place: str | None
    audience: bool


class Counterparts(Told):
    items: list[Counterpart]
    next: None = None


class CloudEvent(Told):
    specversion: Literal["1.0"]
    id: str
    source: str
    type: str
    subject: str
    time: datetime
    datacontenttype: str
    dataschema: Annotated[str, Field(description="The JSON Schema (2020-12) that `data` meets.")]
    data: Notice


class Events(Told):
    items: list[CloudEvent]
    next: Annotated[str, Field(description="The cursor after the last item; keep it, and ask again later.")]


Outcome = Literal["published", "revised", "unchanged", "withdrawn", "refused"]


class Pushed(Told):
    """What became of one notice."""

    key: str
    outcome: Outcome
    id: int | None = None
    revision: int | None = None


class Judged(Told):
    """What became of one item of a batch; `index` is its place in it, from 0."""

    index: int
    outcome: Outcome
    key: str | None = None
    id: int | None = None
    revision: int | None = None
    error: str | None = None


class Batch(Told):
    items: list[Judged]
    next: None = None


class Week(Told):
    """Seven days that end where the next begin; the last ends now."""

    since: datetime
    count: int


class Suggestion(Told):
    """Another query, and how many notices of the last 90 days meet it."""

    query: str
    count: int


class Check(Told):
    """A query as understood, and what the last days would have sent.

    `days_90` is 90, or fewer where so much is published that not all of it is kept at hand.
    """

    canonical: str
    understood: list[str]
    days: int
    count: int
    samples: list[Notice]
    days_90: int
    count_90: int
    weeks: Annotated[list[Week], Field(description="The last thirteen weeks, oldest first.")]
    advice: Annotated[
        Literal["widen", "narrow"] | None,
        Field(description="`widen`: nothing in 90 days; `narrow`: more than 20 a day."),
    ]
    suggestions: Annotated[list[Suggestion], Field(description="Queries to try, as `advice` says.")]


class Asked(Told):
    """The same answer whatever the address."""

    detail: str


class Subscription(Told):
    id: int
    label: str
    query: str
    canonical: str
    channel: str
    cadence: str
    follows_usual: bool
    paused_until: datetime | None
    created_at: datetime


class Subscriptions(Told):
    items: list[Subscription]
    next: None = None


class Mute(Told):
    """What stays away from a person; `until` is null when it lasts until it is lifted."""

    id: int
    kind: str
    label: str
    until: datetime | None
    created_at: datetime


class Mutes(Told):
    items: list[Mute]
    next: None = None


class Endpoint(Told):
    id: Annotated[str, Field(validation_alias="uid")]
    url: str
    label: str | None
    format: str
    content: Annotated[str, Field(description="fat, thin or diff")]
    cadence: str
    timezone: str
    next_digest_at: datetime | None
    query: str
    canonical: str
    state: str
    state_because: str | None
    failures: int
    health: Annotated[str, Field(description="healthy, degraded, paused, recovering or disabled")]
    failing_since: datetime | None
    max_per_s: float | None
    is_ordered: bool
    schedule_s: list[int] | None
    signatures: Annotated[str, Field(description="v1 (a shared secret), v1a (Ed25519) or both")]
    public_keys: Annotated[list[str], Field(description="`whpk_…`, by which `v1a` is checked; newest first")]
    consent: Annotated[
        str | None,
        Field(description="CloudEvents' handshake: granted, refused; null where it is not offered."),
    ]
    consent_because: str | None
    allowed_per_min: Annotated[int | None, Field(description="The most calls that the receiver allows.")]
    consumer: str
    contact: Annotated[str | None, Field(description="Who is told by letter when it fails.")]
    contact_confirmed_at: Annotated[datetime | None, Field(description="Null: not yet, and nothing is told.")]
    created_at: datetime


class Endpoints(Told):
    items: list[Endpoint]
    next: None = None


class EndpointWithSecret(Endpoint):
    secret: Annotated[
        str, Field(description="Signs each call (Standard Webhooks). Never shown again. Empty for v1a alone.")
    ]


class SigningKey(Told):
    """An Ed25519 key as a JWK (RFC 8037); `whpk` is the same in Standard Webhooks' form."""

    kty: Literal["OKP"] = "OKP"
    crv: Literal["Ed25519"] = "Ed25519"
    use: Literal["sig"] = "sig"
    x: str
    whpk: str


class SigningKeys(Told):
    keys: list[SigningKey]


class Tested(Told):
    """What the endpoint answered to a signed test event."""

    is_ok: bool
    outcome: str
    status: int | None
    detail: str
    took_ms: int


class Attempt(Told):
    """`answer` is the beginning of what the endpoint said: a stranger's text, without control characters."""

    number: int
    at: datetime
    took_ms: int
    outcome: str
    status: int | None
    detail: str
    phases: Annotated[
        dict[str, float] | None, Field(description="ms of dns, connect, tls, send, wait and read.")
    ]
    address: Annotated[str | None, Field(description="The address that was dialled.")]
    fault: Literal["ours", "theirs", "network"] | None
    words: Annotated[str, Field(description="What happened, and what to look at.")]
    answer: str | None


class Delivery(Told):
    """An event, or a digest of several, on its way to an endpoint; `id` is the webhook-id that it sees."""

    id: str
    event: str | None
    type: str
    notice_id: int | None
    state: str
    detail: str | None
    due_at: datetime
    created_at: datetime
    finished_at: datetime | None
    attempts: list[Attempt]


class Deliveries(Told):
    items: list[Delivery]
    next: Next


class Step(Told):
    name: str
    at: datetime | None
    is_ok: bool | None
    text: str
    data: dict[str, Any]


class Why(Told):
    """The way of a notice to a recipient, step by step, to where it ended."""

    notice_id: int
    steps: list[Step]
    verdict: str


class EventLedger(Told):
    """What became of everyone an event reached; `is_closed` when nothing waits or is on its way."""

    event: int
    type: str
    at: datetime
    candidates: int
    delivered: int
    undelivered: dict[str, int]
    excluded: dict[str, int]
    shown: int
    waiting: int
    on_the_way: int
    is_closed: bool


class NoticeLedger(Told):
    notice: int
    items: list[EventLedger]


class Run(Told):
    """One round of composing: `candidates` = `issued` + the excluded + `waiting`."""

    id: int
    at: datetime
    kind: str
    windows: int
    issues: int
    candidates: int
    issued: int
    excluded: dict[str, int]
    waiting: int


class Runs(Told):
    items: list[Run]
    next: str | None


class Suppression(Told):
    """`email` is null when nobody here has the address any more: only its keyed hash is kept."""

    email: str | None
    reason: str
    detail: str | None
    at: datetime


class Suppressions(Told):
    items: list[Suppression]
    next: Next


class TopicDefined(Told):
    topic: str
    pl: str
    en: str
    query: str
    is_changed: bool


class Topics(Told):
    items: list[TopicDefined]
    next: None = None


class TopicChange(Told):
    """What a definition does to the notices of the last 90 days."""

    topic: str
    looked_at: int
    before: int
    after: int
    gained: int
    lost: int
    gained_samples: list[str]
    lost_samples: list[str]
