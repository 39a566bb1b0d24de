"""What became of what was told: for everybody in numbers, for a reader their own letters. Reads only."""

from fastapi import APIRouter, Response

from services.errors import NotFound
from services.manage import issues, ledger, notices
from services.web.pages.notices import LARGEST_ID
from services.web.pages.preferences import owner
from services.web.visits import Here

router = APIRouter()
RUNS = 30


@router.get("/ledger")
def rounds(here: Here) -> Response:
    """The last rounds of composing: candidates = issued + excluded + waiting."""
    return here.show("ledger", {"runs": ledger.runs(here.rt, limit=RUNS).items, "told": ledger.told})


@router.get("/notices/{notice_id:int}/ledger")
def of_notice(here: Here, notice_id: int) -> Response:
    """Whom a notice reached, in numbers."""
    if notice_id > LARGEST_ID:
        raise NotFound("There is no such notice.")
    found = ledger.of_notice(here.rt, notice_id)
    context = {"notice": notices.get(here.rt, notice_id), "events": found.items, "told": ledger.told}
    return here.show("notice_ledger", context)


@router.get("/manage/{token}/letters")
def receipts(here: Here, token: str) -> Response:
    """What was sent to one, when, and what became of it."""
    person = owner(here, token)
    found = issues.receipts(here.rt, person.id)
    context = {
        "letters": found.letters, "waiting": found.waiting, "zone": person.timezone,
        "manage_url": f"/manage/{token}",
    }  # fmt: skip
    return here.show("receipts", context, private=True)
