"""The definitions of topics that an operator changed."""

from datetime import datetime

from sqlalchemy import delete, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from services.storage.tables import TopicRule


def changed(session: Session) -> dict[str, str]:
    """{topic: its query here}, of those that are not as they came."""
    return {row.topic: row.query for row in session.scalars(select(TopicRule))}


def hold_changed(session: Session) -> dict[str, str]:
    """The same, for this transaction alone to change: one operator decides after the other."""
    session.execute(text("LOCK TABLE topic_rules IN SHARE ROW EXCLUSIVE MODE"))
    return changed(session)


def define(session: Session, topic: str, query: str, *, now: datetime) -> None:
    rule = insert(TopicRule).values(topic=topic, query=query, updated_at=now)
    again = {"query": rule.excluded.query, "updated_at": rule.excluded.updated_at}
    session.execute(rule.on_conflict_do_update(index_elements=["topic"], set_=again))


def reset(session: Session, topic: str) -> bool:
    """Back to the definition that comes with Goniec; False when it stood already."""
    gone = delete(TopicRule).where(TopicRule.topic == topic).returning(TopicRule.topic)
    return session.scalar(gone) is not None
