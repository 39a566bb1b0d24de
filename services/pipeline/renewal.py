"""After a change of how words are read, whatever keeps words that were read is read anew in the background.

Nothing waits for it: events are matched and stories joined meanwhile, by what there is (where a change is of
few words, copies are known all the time). Matchers see to their own conditions when they begin
(`LiveIndex.restore`); here it is the sketches. A kill loses one batch, which the next call takes again.
"""

from services import log as logs
from services.pipeline import likeness
from services.runtime import Runtime
from services.storage import stories

BATCH = 100

log = logs.get(__name__)


def renew(rt: Runtime, *, limit: int = BATCH) -> bool:
    """Read so many sketches anew that another analyser read, the newest first; whether there may be more."""
    with rt.begin() as session:
        old = stories.read_by_others(session, rt.analyser.name, limit=limit)
        anew = {
            one.notice_id: likeness.read(one.sketch, one.title, one.text, one.language, rt.analyser)
            for one in old
        }
        stories.renew(session, anew, by=rt.analyser.name)
    if anew:
        log.info("sketches.renewed", number=len(anew), analyser=rt.analyser.name)
    return len(old) == limit
