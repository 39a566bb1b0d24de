"""Adding a source by an editor: look at an address, see what it would bring, then let it go live.

Whoever holds an institution's or an operator's key may. The key is in the form each time, so that no cookie
grants anything. GET changes nothing and asks nobody.
"""

from fastapi import APIRouter, Response

from services.errors import BadInput, Forbidden, GoniecError, Unauthorized
from services.manage import accounts, onboarding, sources
from services.manage.accounts import Principal
from services.manage.onboarding import Glimpse, Report
from services.manage.sources import Plan, SourceView
from services.web import choices
from services.web.guards import Form
from services.web.visits import Here, Sent, Visit

router = APIRouter()


@router.get("/sources/new")
def ask(here: Here) -> Response:
    """The empty form; an address may be brought along."""
    return _form(here, here.asked)


@router.post("/sources/new")
def look_or_add(here: Here, sent: Sent) -> Response:
    """Tell what stands at the address, or make a source of it."""
    kind = sent.one("kind") or None
    rules = {name: sent.one(f"rule-{name}") for name in onboarding.RULES.get(kind or "", ())}
    try:
        plan = _plan(here, _editor(here, sent.one("key")), sent)
        seen = sources.look_at_new(here.rt, sent.one("address"), kind=kind, rules=rules)
        if sent.one("do") != "add":
            return _form(here, sent, report=seen.report)
        made = sources.take(here.rt, seen, plan, rules=rules)
    except GoniecError as error:
        return _form(here, sent, error=error)
    return _form(here, Form([("key", sent.one("key"))]), made=made)


def _editor(here: Visit, key: str) -> Principal:
    found = accounts.authenticate(here.rt, key)
    if found.scope not in ("institution", "operator"):
        raise Forbidden("Sources are added with the key of an institution or of an operator.")
    return found


def _plan(here: Visit, editor: Principal, sent: Form) -> Plan:
    institution = editor.institution_slug or sent.one("institution")
    if not institution:
        raise BadInput("An operator's key adds for any institution: say for which one.", field="institution")
    return sources.plan_of(
        here.rt, institution=institution, topics=sent.all("topic"), places=sent.all("place"), by=editor.actor
    )


def _form(
    here: Visit, sent: Form, *, report: Report | None = None, made: SourceView | None = None,
    error: GoniecError | None = None,
) -> Response:  # fmt: skip
    context = {
        "sent": {name: sent.one(name) for name in ("key", "address", "kind", "institution")},
        "rules": onboarding.RULES,
        "written": {name: sent.one(f"rule-{name}") for names in onboarding.RULES.values() for name in names},
        "chosen": {"topic": sent.all("topic"), "place": sent.all("place")},
        "topics": choices.topic_groups(here.locale),
        "places": choices.place_groups(),
        "report": report,
        "notices": [_shown(one, here.locale) for one in report.notices] if report else [],
        "made": made,
        "error": error,
        "is_key": isinstance(error, Unauthorized | Forbidden),
    }
    status = 401 if isinstance(error, Unauthorized) else 422 if error else 200
    return here.show("source", context, status=status, private=True)


def _shown(one: Glimpse, locale: str) -> dict[str, object]:
    """A notice as it would look, named in the editor's language."""
    return {
        "title": one.title,
        "summary": one.summary,
        "url": one.url,
        "kind": choices.kind_name(one.kind, locale),
        "topics": ", ".join(choices.topic_name(slug, locale) for slug in one.topics),
        "places": ", ".join(choices.place_name(code) for code in one.places),
        "published_at": one.published_at,
        "starts_at": one.starts_at,
    }
