"""Institutions: who publishes. A slug, once given, is what others link to, and never changes."""

import re
from dataclasses import dataclass

from services.domain import places
from services.domain.folding import slug as fold
from services.domain.notices import INSTITUTION_KINDS as KINDS
from services.errors import BadInput, Conflict, NotFound
from services.manage.checks import one_line, web_address
from services.runtime import Runtime
from services.storage import audit
from services.storage import institutions as store
from services.storage.tables import Institution

MAX_SLUG = 60


@dataclass(frozen=True, slots=True)
class InstitutionView:
    slug: str
    name: str
    kind: str
    place: str | None
    parent: str | None
    url: str | None


def add(
    rt: Runtime, *, name: str, kind: str, place: str | None = None, parent: str | None = None,
    url: str | None = None, by: str = "operator",
) -> InstitutionView:  # fmt: skip
    """A new institution or unit; its slug is made of its name, with a number when that is taken.

    `place` is a TERYT code or a name. Raises BadInput (also for a name that this parent has already)
    and NotFound for an unknown parent.
    """
    name = one_line(name, "The name", limit=200)
    if kind not in KINDS:
        raise BadInput(f"“{kind}” is no kind of institution; use one of: {', '.join(KINDS)}.", kinds=KINDS)
    code = places.get(place).code if place else None
    url = web_address(url, "The institution's address") if url else None
    now = rt.clock.now()
    with rt.begin() as session:
        above = _need(store.by_slug(session, parent), parent) if parent else None
        parent_id = above.id if above else None
        if any(i.name == name and i.parent_id == parent_id for i in store.everyone(session)):
            raise Conflict(f"There is an institution “{name}” already.", slug=slug_of(name))
        base, made = slug_of(name), None
        for number in range(1, 100):
            slug = base if number == 1 else f"{base[: MAX_SLUG - 3]}-{number}"
            made = store.add(
                session, slug=slug, name=name, kind=kind, place=code, url=url, parent_id=parent_id, now=now
            )
            if made is not None:
                break
        if made is None:
            raise Conflict(f"Too many institutions are called “{name}”: give a longer name.")
        audit.write_line(session, at=now, actor=by, action="institution.add", target=made.slug)
        return _view(made, parent)


def show(rt: Runtime, slug: str) -> InstitutionView:
    with rt.begin() as session:
        found = _need(store.by_slug(session, slug), slug)
        above = store.by_id(session, found.parent_id) if found.parent_id else None
        return _view(found, above.slug if above else None)


def list_all(rt: Runtime) -> list[InstitutionView]:
    """All institutions, by name."""
    with rt.begin() as session:
        slugs = store.slugs(session)
        return [_view(i, slugs.get(i.parent_id or 0)) for i in store.everyone(session)]


def slug_of(name: str) -> str:
    """Lower-case ASCII words joined by hyphens: “Urząd Miasta Łódź” → `urzad-miasta-lodz`."""
    words = re.findall(r"[a-z0-9]+", fold(name).encode("ascii", "ignore").decode())
    return "-".join(words)[:MAX_SLUG].strip("-") or "institution"


def _need(found: Institution | None, slug: str | None) -> Institution:
    if found is None:
        raise NotFound(f"There is no institution “{slug}”. See `goniec institution list`.", slug=slug)
    return found


def _view(row: Institution, parent: str | None) -> InstitutionView:
    return InstitutionView(row.slug, row.name, row.kind, row.place, parent, row.url)
