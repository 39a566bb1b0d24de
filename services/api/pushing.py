"""What an institution pushes, from the form it came in to the outcome it gets. Decides nothing itself."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from services.api.answers import Judged, Pushed
from services.api.errors import Invalid, faults
from services.api.schemas import TELLING, WITHDRAWING, NoticeIn, TellingEvent, WithdrawingEvent
from services.domain import cloudevents
from services.domain.drafts import Draft
from services.errors import BadInput, Conflict, NotFound
from services.pipeline import accept
from services.pipeline.accept import Accepted, Outcome
from services.runtime import Runtime

T = TypeVar("T")
Asked = Draft | str  # a notice to tell, or the key of one to take back

_NOTICE = TypeAdapter(NoticeIn)
_TELLING = TypeAdapter(TellingEvent)
_WITHDRAWING = TypeAdapter(WithdrawingEvent)


def read_notice(value: object) -> Asked:
    """A notice in the form of `POST /v1/notices`. Raises Invalid with every fault."""
    return _read(_NOTICE, value).draft()


def read_event(value: object) -> Asked:
    """What a CloudEvent asks for. Raises BadInput."""
    event = cloudevents.from_structured(value)
    return _meaning(event)


def read_binary(headers: Sequence[tuple[str, str]], content_type: str, body: bytes) -> Asked:
    """The same, from a CloudEvent in binary mode."""
    return _meaning(cloudevents.from_binary(headers, content_type, body))


def one(rt: Runtime, source_id: int, asked: Asked) -> Pushed:
    """Do one thing. Raises Conflict for a notice that was withdrawn earlier, NotFound for an unknown key."""
    if isinstance(asked, str):
        (done,) = accept.withdraw(rt, source_id, [asked])
        if done.outcome == Outcome.REFUSED:
            raise NotFound("You have no notice with this key.")
        return _pushed(done)
    (done,) = accept.accept(rt, source_id, [asked])
    if done.outcome == Outcome.WITHDRAWN:
        raise Conflict("This notice was withdrawn, for good. Tell it again under another key.", key=done.key)
    if done.outcome == Outcome.REFUSED:
        raise BadInput(done.error or "This notice cannot be accepted.", key=done.key)
    return _pushed(done)


def many(rt: Runtime, source_id: int, read: "Sequence[Asked | BadInput]") -> list[Judged]:
    """Do each, in order; what could not be read is refused alone. Neighbours of one kind go together."""
    judged: dict[int, Judged] = {}
    for run in _runs(read):
        first = read[run[0]]
        if isinstance(first, BadInput):
            judged.update({i: _refused(i, read[i]) for i in run})
        elif isinstance(first, str):
            keys = [one for i in run if isinstance(one := read[i], str)]
            judged.update(zip(run, _judged(run, accept.withdraw(rt, source_id, keys)), strict=True))
        else:
            drafts = [one for i in run if isinstance(one := read[i], Draft)]
            judged.update(zip(run, _judged(run, accept.accept(rt, source_id, drafts)), strict=True))
    return [judged[i] for i in range(len(read))]


def try_each(values: Sequence[object], *, of_events: bool) -> list[Asked | BadInput]:
    """Read each value; what cannot be read is its error."""
    read = read_event if of_events else read_notice
    found: list[Asked | BadInput] = []
    for value in values:
        try:
            found.append(read(value))
        except BadInput as error:
            found.append(error)
    return found


def _runs(read: Sequence[object]) -> list[list[int]]:
    runs: list[list[int]] = []
    for i, one in enumerate(read):
        if runs and type(read[runs[-1][0]]) is type(one):
            runs[-1].append(i)
        else:
            runs.append([i])
    return runs


def _meaning(event: Mapping[str, Any]) -> Asked:
    if event["type"] == WITHDRAWING:
        return _read(_WITHDRAWING, event).data.key
    if event["type"] not in TELLING:
        known = ", ".join(sorted({*TELLING, WITHDRAWING}))
        raise BadInput(f"Events of this type are not taken; send one of: {known}.", attribute="type")
    return _read(_TELLING, event).data.draft()


def _read(form: TypeAdapter[T], value: object) -> T:
    try:
        return form.validate_python(value)
    except ValidationError as error:
        found = faults([{**one, "loc": ("body", *one["loc"])} for one in error.errors(include_url=False)])
        place = found[0]["pointer"].strip("/") or "the item"
        raise Invalid(f"{place}: {found[0]['detail']}", errors=found) from error


def _pushed(done: Accepted) -> Pushed:
    return Pushed(key=done.key, outcome=done.outcome.value, id=done.notice_id, revision=done.revision)


def _judged(run: Sequence[int], done: Sequence[Accepted]) -> list[Judged]:
    return [
        Judged(
            index=i, outcome=a.outcome.value, key=a.key, id=a.notice_id, revision=a.revision, error=a.error
        )
        for i, a in zip(run, done, strict=True)
    ]


def _refused(index: int, error: object) -> Judged:
    assert isinstance(error, BadInput)
    return Judged(index=index, outcome="refused", error=error.message)
