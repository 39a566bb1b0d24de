"""What every table shares: naming of constraints, column types, and the shape of a piece of work."""

from datetime import datetime
from typing import Annotated, Any

from sqlalchemy import ARRAY, BigInteger, DateTime, Identity, MetaData, Text
from sqlalchemy.dialects.postgresql import BYTEA, JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

Id = Annotated[int, mapped_column(BigInteger, Identity(), primary_key=True)]
Texts = Annotated[list[str], mapped_column(ARRAY(Text), server_default="{}")]

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map = {  # noqa: RUF012  SQLAlchemy reads it as it stands
        datetime: DateTime(timezone=True),
        str: Text,
        bytes: BYTEA,
        int: BigInteger,
        dict[str, Any]: JSONB,
        dict[str, str]: JSONB,
        list[dict[str, Any]]: JSONB,
    }


class Work:
    """A row that is also a piece of work: claimed by compare-and-set with a lease, due at a time.

    `claim_id` names the claim that holds the row; who records an outcome must still hold it.
    """

    state: Mapped[str] = mapped_column(server_default="pending")
    due_at: Mapped[datetime]
    lease_until: Mapped[datetime | None]
    claim_id: Mapped[str | None]
