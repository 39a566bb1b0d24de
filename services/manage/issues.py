"""An issue as it was sent, for who follows "view in a browser" from it; changes nothing."""

from dataclasses import dataclass

from sqlalchemy import select

from services.domain import slots, tokens
from services.errors import NotFound
from services.runtime import Runtime
from services.storage.tables import Content, Issue


@dataclass(frozen=True, slots=True)
class ShownIssue:
    """The body of a letter; personal links lead nowhere here, since the address may be passed on."""

    subject: str
    html: str


def show(rt: Runtime, token: str) -> ShownIssue:
    """The issue that a link of a letter names. Raises BadInput for a bad token, NotFound when it is gone."""
    named = tokens.read(rt.settings.secret_key, "view", token, rt.clock.now())
    with rt.begin() as session:
        row = session.execute(
            select(Issue, Content)
            .join(Content, Content.hash == Issue.content_hash)
            .where(Issue.id == int(named["i"]))
        ).one_or_none()
    if row is None:
        raise NotFound("This letter is not kept any more.")
    issue, content = row
    home = f"{rt.settings.base_url}/"
    values = dict.fromkeys(slots.slots_in(content.html, content.salt), home)
    values |= {name: value for name, value in issue.slots.items() if name.startswith("why:")}
    return ShownIssue(content.subject, slots.fill(content.html, content.salt, values))
