"""Every table, one file per aggregate; `Base.metadata` is what the migrations must equal."""

from services.storage.tables.base import Base
from services.storage.tables.deliveries import (
    Attempt,
    CallDigest,
    Content,
    Delivery,
    Issue,
    IssueItem,
    MailPace,
)
from services.storage.tables.endpoints import Endpoint, EndpointChange, EndpointWindow, OwnerWord
from services.storage.tables.held import Held
from services.storage.tables.institutions import ApiKey, AuditLine, Consumer, Institution
from services.storage.tables.interests import (
    Candidate,
    IndexSnapshot,
    Interest,
    InterestChange,
    InterestLog,
    Match,
    MatchTurn,
    Mute,
    Subscription,
)
from services.storage.tables.ledger import ComposeRun
from services.storage.tables.notices import Event, Notice, Revision, Story
from services.storage.tables.replays import Replay, ReplayItem
from services.storage.tables.sketches import SketchRow
from services.storage.tables.source_hubs import SourceHub, SourcePush
from services.storage.tables.sources import Fetch, RobotsFile, Source
from services.storage.tables.subscribers import Consent, Feedback, Rhythm, Subscriber, Suppression
from services.storage.tables.topics import TopicRule
from services.storage.tables.websub import HubFollower, HubIntent, HubTopic

__all__ = [
    "ApiKey", "Attempt", "AuditLine", "Base", "CallDigest", "Candidate", "ComposeRun", "Consent",
    "Consumer", "Content", "Delivery", "Endpoint", "EndpointChange", "EndpointWindow", "Event",
    "Feedback", "Fetch", "Held", "HubFollower", "HubIntent", "HubTopic", "IndexSnapshot", "Institution",
    "Interest", "InterestChange", "InterestLog", "Issue", "IssueItem", "MailPace", "Match", "MatchTurn",
    "Mute", "Notice", "OwnerWord", "Replay", "ReplayItem", "Revision", "Rhythm", "RobotsFile", "SketchRow",
    "Source", "SourceHub", "SourcePush", "Story", "Subscriber", "Subscription", "Suppression", "TopicRule",
]  # fmt: skip
