"""Finding the person that a change is about. Says no more than that there is none."""

from datetime import timedelta

from sqlalchemy.orm import Session

from services.domain import seal
from services.errors import NotFound
from services.manage import checks
from services.runtime import Runtime
from services.storage import subscribers as store
from services.storage.tables import Subscriber

CONFIRM_WITHIN = timedelta(days=7)


def need(rt: Runtime, session: Session, who: int | str) -> Subscriber:
    """The person by id or address, held until the transaction ends. Raises NotFound, naming nobody."""
    if isinstance(who, str):
        digest = seal.email_hash(rt.settings.secret_key, checks.email_address(who))
        known = store.by_hash(session, digest)
        who = known.id if known else 0
    person = store.hold(session, who)
    if person is None:
        raise NotFound("There is no such subscriber.")
    return person
