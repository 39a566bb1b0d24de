"""An issue as it was sent, for who follows "view in a browser" from it; changes nothing."""

from dataclasses import dataclass

from services.domain import slots, tokens
from services.errors import NotFound
from services.runtime import Runtime
from services.storage import bodies as store


@dataclass(frozen=True, slots=True)
class ShownIssue:
    """The body of a letter; personal links lead nowhere here, since the address may be passed on."""

    subject: str
    html: str


def show(rt: Runtime, token: str) -> ShownIssue:
    """The issue that a link of a letter names. Raises BadInput for a bad token, NotFound when it is gone."""
    named = tokens.read(rt.settings.secret_key, "view", token, rt.clock.now())
    with rt.begin() as session:
        kept = store.sent_issue(session, int(named["i"]))
    if kept is None:
        raise NotFound("This letter is not kept any more.")
    home = f"{rt.settings.base_url}/"
    values = dict.fromkeys(slots.slots_in(kept.html, kept.salt), home)
    values |= {name: value for name, value in kept.slots.items() if name.startswith("why:")}
    return ShownIssue(kept.subject, slots.fill(kept.html, kept.salt, values))
