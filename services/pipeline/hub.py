"""The hub (W3C WebSub): callbacks are asked whether they mean it, and followers are told of changed topics.

    POST /hub ──► intents ──► GET callback ──► followers
    match ──► followers of a changed topic ──► POST callback

What a follower gets is always the topic as it is now: many changes before a call are one call, and what it
has already it is not sent again.
"""

from datetime import timedelta

from sqlalchemy.orm import Session

from services import log as logs
from services.channels import websub
from services.channels.base import OutcomeKind
from services.domain import retries, seal
from services.domain.websub import digest, new_challenge
from services.errors import BadInput
from services.http import Answer, Request
from services.manage import query_feeds
from services.manage.query_feeds import Topic
from services.pipeline.streams import Change, Stream
from services.runtime import Runtime
from services.storage import hub as store
from services.storage import work
from services.storage.hub import IntentDue, PushDue
from services.storage.work import Claim
from services.syndication.forms import FORMATS

REST = timedelta(seconds=5)  # between two calls of one follower: a burst of notices is one call
ASK_SCHEDULE_S = (0, 30, 300)  # for a callback that could not be reached at all

log = logs.get(__name__)


def run(rt: Runtime) -> int:
    """Ask and tell until nothing is due or the process is stopping; how many calls there were."""
    asked = Intents(rt).run()
    told = Pushes(rt).run()
    if asked or told:
        log.info("hub.done", asked=asked, told=told)
    return asked + told


class Intents:
    """Callbacks are asked to repeat a challenge that nobody else knows (section 5.3)."""

    def __init__(self, rt: Runtime) -> None:
        self._rt = rt
        self._challenges: dict[int, str] = {}

    def run(self) -> int:
        stream = Stream(
            self._rt, work.HUB_INTENTS, load=store.intents, begin=self._question, settle=self._settle
        )
        return stream.run()

    def _question(self, one: IntentDue) -> Request:
        told = {"hub.mode": one.asked.mode, "hub.topic": one.asked.topic}
        if one.asked.mode == "denied":
            told["hub.reason"] = one.asked.reason or ""
            return websub.question(one.asked.callback, told, tag=one.id)
        self._challenges[one.id] = told["hub.challenge"] = new_challenge()
        if one.asked.mode == "subscribe":
            told["hub.lease_seconds"] = str(one.asked.lease_s)
        return websub.question(one.asked.callback, told, tag=one.id)

    def _settle(self, one: IntentDue, _: Request, answer: Answer) -> Change:
        outcome = websub.confirmed(answer, self._challenges.pop(one.id, ""))
        asked, now = one.asked, self._rt.clock.now()
        again = None
        if outcome.state is OutcomeKind.RETRY:
            again = retries.next_attempt_at(
                one.attempts + 1, now, key=f"intent:{one.id}", schedule_s=ASK_SCHEDULE_S
            )
        meant = outcome.state is OutcomeKind.SENT and asked.mode != "denied"
        topic = Topic(FORMATS[asked.form], asked.query)

        def change(session: Session, held: Claim) -> None:
            if again is not None:
                store.ask_again(session, held, one.id, at=again, detail=outcome.detail)
                return
            state = "done" if meant or asked.mode == "denied" else "refused"
            is_ours = store.settle_intent(session, held, one.id, state=state, detail=outcome.detail[:500])
            if is_ours and meant and asked.mode == "subscribe":
                store.follow(session, asked, topic.canonical, now=now)
            elif is_ours and meant:
                store.leave(session, form=asked.form, query=asked.query, callback=asked.callback)

        self._rt.metrics.handled("hub", f"{asked.mode} {'meant' if meant else 'not meant'}")
        return change


class Pushes:
    """Followers are sent what changed. A topic is written once for all who are told of it together."""

    def __init__(self, rt: Runtime) -> None:
        self._rt = rt
        self._written: dict[tuple[str, str], bytes] = {}
        self._sent: dict[int, bytes] = {}  # follower: what its body is known by

    def run(self) -> int:
        stream = Stream(
            self._rt, work.HUB_FOLLOWERS, load=self._load, begin=self._distribution, settle=self._settle
        )
        return stream.run()

    def _load(self, session: Session, held: Claim) -> dict[int, PushDue]:
        self._written.clear()  # a body must not be older than the count of changes that is read now
        return store.pushes(session, held)

    def _distribution(self, one: PushDue) -> Request | Change:
        topic = Topic(FORMATS[one.form], one.query)
        try:
            body = self._body(topic)
        except BadInput as exc:  # a query of an older language harms no other topic
            error, now = exc.message, self._rt.clock.now()
            return lambda session, held: store.tell_again(session, held, one, at=None, error=error, now=now)
        if (known := digest(body)) == one.body_hash:
            return self._told(one, known)
        self._sent[one.id] = known
        secret = seal.unseal(self._rt.settings.secret_key, one.secret) if one.secret else None
        return websub.distribution(
            one.callback,
            body,
            topic.form.content_type,
            query_feeds.links(self._rt, topic),
            secret,
            tag=one.id,
        )

    def _body(self, topic: Topic) -> bytes:
        name = (topic.form.name, topic.query)
        if name not in self._written:
            self._written[name] = topic.form.write(query_feeds.channel(self._rt, topic))
        return self._written[name]

    def _settle(self, one: PushDue, _: Request, answer: Answer) -> Change:
        now = self._rt.clock.now()
        outcome, sent = websub.outcome(answer, now), self._sent.pop(one.id)
        self._rt.metrics.attempts("hub", outcome.state.value)
        if outcome.disable:
            return lambda session, held: store.gone(session, held, one)
        if outcome.state is OutcomeKind.SENT:
            return self._told(one, sent)
        again = retries.next_attempt_at(
            one.attempts + 1, now, key=f"follower:{one.id}", retry_after_s=outcome.retry_after_s
        )
        error = outcome.detail[:500].replace("\x00", "")
        return lambda session, held: store.tell_again(session, held, one, at=again, error=error, now=now)

    def _told(self, one: PushDue, body_hash: bytes) -> Change:
        now = self._rt.clock.now()
        return lambda session, held: store.told(session, held, one, body_hash, now=now, rest=REST)
