"""A notice's own calendar entry, which letters link to."""

from datetime import timedelta

from fastapi.testclient import TestClient
from icalendar import Calendar

from services.runtime import Runtime
from tests.factories import draft, publish


def test_a_deadline_is_an_entry_that_calendars_can_take(anyone: TestClient, rt: Runtime) -> None:
    deadline = rt.clock.now() + timedelta(days=9)
    (told,) = publish(rt, draft(title="Nabór", deadline_at=deadline))
    answer = anyone.get(f"/notices/{told.notice_id}.ics")

    assert answer.headers["content-type"] == "text/calendar; charset=utf-8"
    (event,) = Calendar.from_ical(answer.text).walk("VEVENT")
    assert event.decoded("dtend") == deadline
    assert "Nabór" in str(event["summary"])
    again = anyone.get(f"/notices/{told.notice_id}.ics", headers={"If-None-Match": answer.headers["etag"]})
    assert again.status_code == 304


def test_a_calendar_of_no_notice_is_not_found(anyone: TestClient) -> None:
    assert anyone.get("/notices/999.ics").status_code == 404
