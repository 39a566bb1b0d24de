"""The operator's pages of topics: what each means, and what another query would change before it is so.

The link is the right, and it expires. Looking changes nothing; a definition is a form of its own, below what
it would change, and leaves a line in the audit.
"""

from fastapi import APIRouter, Response

from services.domain import links, tokens
from services.domain import topics as named
from services.errors import BadInput, Conflict, NotFound, QueryError
from services.manage import topics
from services.web import faults
from services.web.visits import Here, Sent, Visit

router = APIRouter()


@router.get("/topics/{token}")
def tree(here: Here, token: str) -> Response:
    """Every topic with both its labels, its query and how much had it lately."""
    _believed(here, token)
    branches = topics.tree(here.rt)
    return here.show("topics", {"branches": branches, "token": token}, private=True)


@router.get("/topics/{token}/{topic}")
def one(here: Here, token: str, topic: str) -> Response:
    """A topic's query to be edited; with another one, what that would change."""
    _believed(here, token)
    return _shown(here, token, _known(topic))


@router.get("/topics/{token}/{topic}/preview")
def preview(here: Here, token: str, topic: str) -> Response:
    """The same for the script, which puts it into the page while the operator types."""
    _believed(here, token)
    html = here.part("_topic_change", _asked(here, token, _known(topic)))
    return Response(html, media_type="text/html", headers={"Cache-Control": "no-store"})


@router.post("/topics/{token}/{topic}")
def decide(here: Here, sent: Sent, token: str, topic: str) -> Response:
    """Define the topic, or go back to the definition that came with Goniec."""
    _believed(here, token)
    slug, way = _known(topic), sent.one("way")
    if way not in ("define", "reset"):
        raise BadInput("Choose one of the buttons of this page.")
    try:
        if way == "define":
            topics.define(here.rt, slug, sent.one("q"), by="page", was=sent.one("was") or None)
        else:
            topics.reset(here.rt, slug, by="page")
    except QueryError as error:
        return _shown(here, token, slug, fault=faults.fault(error, sent.one("q")), typed=sent.one("q"))
    except Conflict:
        return _shown(here, token, slug, typed=sent.one("q"), is_late=True)
    return here.go(f"/topics/{token}/{slug}?done={way}")


def _believed(here: Visit, token: str) -> None:
    tokens.read(here.rt.settings.secret_key, links.TOPICS, token, here.rt.clock.now())


def _known(topic: str) -> str:
    if topic not in named.TOPICS:
        raise NotFound("There is no such topic.")
    return topic


def _shown(
    here: Visit, token: str, slug: str, *, fault: faults.Fault | None = None, typed: str | None = None,
    is_late: bool = False,
) -> Response:  # fmt: skip
    asked = _asked(here, token, slug, typed)
    if fault is not None:
        asked |= {"fault": fault, "change": None}
    done = here.asked.one("done")
    context = {**asked, "done": done if done in ("define", "reset") else "", "is_late": is_late}
    status = 422 if asked["fault"] else 409 if is_late else 200
    return here.show("topic", context, status=status, private=True)


def _asked(here: Visit, token: str, slug: str, sent: str | None = None) -> dict[str, object]:
    """The topic, what was typed, and what that would change; nothing typed is the query as it stands."""
    view = topics.show(here.rt, slug)
    is_asked = sent is not None or "look" in here.request.query_params
    typed = (here.asked.one("q") if sent is None else sent) if is_asked else view.query
    fault = faults.fault_in(typed) if is_asked else None
    change = None
    if is_asked and fault is None and typed != view.query:
        try:
            change = topics.preview(here.rt, slug, typed)
        except QueryError as error:
            fault = faults.fault(error, typed)
    return {
        "topic": view,
        "token": token,
        "typed": typed,
        "is_asked": is_asked,
        "fault": fault,
        "change": change,
        "default": topics.default(slug),
    }
