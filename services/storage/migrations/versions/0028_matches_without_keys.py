"""Matches have no foreign keys: events and interests are never deleted, and to ask for each row took most of
the time of writing it."""

from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("""
        ALTER TABLE matches
            DROP CONSTRAINT fk_matches_event_id,
            DROP CONSTRAINT fk_matches_interest_id
    """)


def downgrade() -> None:
    raise NotImplementedError("Goniec's migrations go forward; restore a backup to go back")
