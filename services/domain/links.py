"""Links that carry a right, of a subscriber or of the operator: signed, so that they need no session.

Never put one in a log line: who holds the link acts for the person.
"""

from datetime import datetime

from services.domain import tokens

CONFIRM = "confirm"
MANAGE = "manage"
LEAVE = "leave"
LESS = "less"
HELD = "held"
HEALTH = "health"
STAY = "stay"
TOPICS = "topics"
REVISION = "revision"
CONSUMER = "consumer"


def manage_token(secret: str, subscriber_id: int) -> str:
    """The key to one's own page of preferences."""
    return tokens.sign(secret, MANAGE, {"s": subscriber_id})


def manage_url(base_url: str, secret: str, subscriber_id: int) -> str:
    return f"{base_url}/manage/{manage_token(secret, subscriber_id)}"


def held_url(base_url: str, secret: str) -> str:
    """The operator's page of readings that wait for a decision. Its bearer decides."""
    return f"{base_url}/held/{tokens.sign(secret, HELD, {})}"


def topics_url(base_url: str, secret: str, *, expires_at: datetime) -> str:
    """The operator's pages of topics, until a time. Their bearer defines topics."""
    return f"{base_url}/topics/{tokens.sign(secret, TOPICS, {}, expires_at)}"


def health_url(base_url: str, secret: str, source_id: int | None = None) -> str:
    """The operator's page of the health of all sources, or of one; it shows addresses and errors."""
    page = f"{base_url}/health/{tokens.sign(secret, HEALTH, {})}"
    return page if source_id is None else f"{page}/{source_id}"


def confirm_url(base_url: str, secret: str, subscriber_id: int, *, letter: str, expires_at: datetime) -> str:
    """The page with the button that confirms what one sign-up (its `letter`) asked for."""
    token = tokens.sign(secret, CONFIRM, {"s": subscriber_id, "k": letter}, expires_at)
    return f"{base_url}/confirm/{token}"


def stay_token(secret: str, subscriber_id: int) -> str:
    """Lets a person say that they stay, nothing more."""
    return tokens.sign(secret, STAY, {"s": subscriber_id})


def stay_url(base_url: str, secret: str, subscriber_id: int) -> str:
    """The page where a person who was asked says whether they stay."""
    return f"{base_url}/stay/{stay_token(secret, subscriber_id)}"


def less_url(base_url: str, secret: str, subscriber_id: int, *, subscription_id: int, notice_id: int) -> str:
    """The page where a person says what of one item in their letter they want less of."""
    token = tokens.sign(secret, LESS, {"s": subscriber_id, "p": subscription_id, "n": notice_id})
    return f"{base_url}/less/{token}"


def revision_url(base_url: str, secret: str, *, notice_id: int, revision: int, expires_at: datetime) -> str:
    """Where one revision of a notice is fetched without a key, until a time."""
    token = tokens.sign(secret, REVISION, {"n": notice_id, "r": revision}, expires_at)
    return f"{base_url}/v1/revisions/{token}"


def consumer_token(secret: str, consumer_id: int, *, key_id: int, expires_at: datetime) -> str:
    """The right to a consumer's own endpoints, until a time; `key_id` is the key behind it (0: the operator
    gave the link), with which it ends."""
    return tokens.sign(secret, CONSUMER, {"c": consumer_id, "k": key_id}, expires_at)
