"""CloudEvents' handshake with an endpoint: asked when its address is named or its owner wants, and answered
at once or later by a link.

An endpoint that refuses is paused and says so; what comes is kept for it. Consent wakes only what its lack
put to sleep. Never fails because the other side does: a receiver that knows no OPTIONS is called as before.
"""

import uuid
from urllib.parse import urlsplit

from sqlalchemy.orm import Session

from services import log as logs
from services.domain import consent, tokens
from services.domain.consent import Consent, State
from services.errors import BadInput, NotFound
from services.http import Request, Response
from services.manage import endpoints
from services.manage.endpoints import EndpointView, Owner
from services.runtime import Runtime
from services.storage import endpoints as store
from services.storage.tables import Endpoint

PURPOSE = "consent"
CONNECT_TIMEOUT_S, TOTAL_TIMEOUT_S = 3.0, 5.0
MAX_ANSWER_BYTES = 16 * 1024
NO_CONSENT = "it does not consent"  # so begins why an endpoint is paused that consent wakes

log = logs.get(__name__)


def ask(rt: Runtime, owner: Owner, uid: str) -> EndpointView:
    """Ask an endpoint whether we may call it, and how often; then show it as it stands."""
    with rt.begin() as session:
        row, _, _, _ = endpoints.need(session, owner, uid)
        url, pace = row.url, row.max_per_s
    origin = urlsplit(rt.settings.base_url).hostname or "localhost"
    per_min = consent.USUAL_PER_MIN if pace is None else max(1, round(pace * 60))
    headers = consent.questions(origin, per_min=per_min, callback=callback_url(rt, uid, url))
    answer = rt.http.fetch_one(
        Request(
            url, method="OPTIONS", headers=headers, max_bytes=MAX_ANSWER_BYTES,
            connect_timeout_s=CONNECT_TIMEOUT_S, total_timeout_s=TOTAL_TIMEOUT_S,
        )
    )  # fmt: skip
    if isinstance(answer, Response):
        told = consent.read(answer.status, answer.header, origin)
    else:
        told = Consent(None, None, f"it could not be asked: {answer.detail}")
    with rt.begin() as session:
        row, _, _, _ = endpoints.need(session, owner, uid)
        if row.url == url:
            _keep(rt, session, row, told)
    rt.bell.ring("deliver_webhook")
    return endpoints.show(rt, owner, uid)


def after_change(rt: Runtime, owner: Owner, view: EndpointView, *, was_moved: bool) -> EndpointView:
    """Another address is asked anew; so is one that refused, when its owner sets it active."""
    is_woken = view.state == "active" and view.consent == State.REFUSED
    return ask(rt, owner, view.uid) if was_moved or is_woken else view


def callback_url(rt: Runtime, uid: str, url: str) -> str:
    """Where the receiver may consent later. It is told to that address alone, and holds for it alone."""
    token = tokens.sign(rt.settings.secret_key, PURPOSE, {"e": uid, "u": _fingerprint(rt, url)})
    return f"{rt.settings.base_url}/v1/consents/{token}"


def consented(rt: Runtime, token: str, *, rate: str | None) -> None:
    """The receiver consents by its link, at a rate it may name. Raises NotFound for any other link."""
    try:
        named = tokens.read(rt.settings.secret_key, PURPOSE, token, rt.clock.now())
    except BadInput as exc:
        raise NotFound("There is nothing to consent to.") from exc
    with rt.begin() as session:
        found = store.by_uid(session, uuid.UUID(str(named["e"])), consumer_id=None)
        if found is None or _fingerprint(rt, found[0].url) != named["u"]:
            raise NotFound("There is nothing to consent to.")
        _keep(rt, session, found[0], consent.granted(rate))
    rt.bell.ring("deliver_webhook")


def _keep(rt: Runtime, session: Session, row: Endpoint, told: Consent) -> None:
    row.consent = told.state.value if told.state else None
    row.consent_because = told.because[:200]
    row.consent_at = rt.clock.now()
    row.allowed_per_min, row.paced_until = told.per_min, None
    is_paused_by_this = row.state == "paused" and (row.state_because or "").startswith(NO_CONSENT)
    if told.state is State.REFUSED and (row.state == "active" or is_paused_by_this):
        row.state, row.state_because = "paused", f"{NO_CONSENT}: {row.consent_because}"
    elif told.state is not State.REFUSED and is_paused_by_this:
        row.state, row.state_because = "active", None
    session.flush()
    log.info("endpoint.consent", endpoint_id=row.id, consent=row.consent)


def _fingerprint(rt: Runtime, url: str) -> str:
    """Stands for an address without naming it."""
    return tokens.sign(rt.settings.secret_key, "consent.address", {"u": url})[:16]
