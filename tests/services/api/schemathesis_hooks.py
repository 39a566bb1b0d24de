"""What schemathesis cannot know: how values of our formats are written. It is loaded by its own process."""

from base64 import urlsafe_b64encode
from datetime import UTC, datetime, timedelta, timezone
from urllib.parse import urlencode

import schemathesis
from hypothesis import strategies as st

ZONES = [UTC, timezone(timedelta(hours=1)), timezone(timedelta(hours=-11))]
START = datetime(1971, 1, 1, tzinfo=UTC)
QUERIES = [
    "",
    "topic:funding",
    'topic:funding (place:torun OR place:0403) "sztuczna inteligencja" innowacj* -kind:tender deadline<30d',
    "grant",
    "=bony title:nabór",
    "kind:(call OR tender) lang:pl",
    "deadline>2026-12-01 audience:company",
    "NOT kind:job energia",
]

DEFINITIONS = ["grant", "=bony title:nabór", "kind:(call OR tender) lang:pl", "audience:company -energia*"]

schemathesis.openapi.format("goniec-definition", st.sampled_from(DEFINITIONS))
schemathesis.openapi.format("goniec-query", st.sampled_from(QUERIES[1:]))
schemathesis.openapi.format(
    "goniec-topic",
    st.sampled_from(QUERIES).map(lambda q: f"http://goniec.example/feeds/notices.atom?{urlencode({'q': q})}"),
)
schemathesis.openapi.format("goniec-recipient", st.sampled_from(["reader@example.com", "nobody@example.com"]))
schemathesis.openapi.format(
    "goniec-cursor",
    st.integers(1, 10**6).map(
        lambda number: urlsafe_b64encode(f"2026-11-23T12:00:00+00:00|{number}".encode()).decode().rstrip("=")
    ),
)
schemathesis.openapi.format("timezone", st.sampled_from(["Europe/Warsaw", "UTC", "Asia/Kathmandu"]))
schemathesis.openapi.format(
    "goniec-hours", st.integers(0, 22).map(lambda hour: f"{hour:02}:30-{hour + 1:02}:00")
)
schemathesis.openapi.format("uri", st.integers(1, 9).map("http://127.0.0.{}:9/hook".format))
schemathesis.openapi.format("email", st.integers(0, 999).map("reader{}@example.com".format))
schemathesis.openapi.format(
    "date-time",
    st.builds(
        lambda days, seconds, zone: (START + timedelta(days, seconds)).astimezone(zone).isoformat(),
        st.integers(0, 80_000),
        st.integers(0, 86_399),
        st.sampled_from(ZONES),
    ),
)
