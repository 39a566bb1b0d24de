"""Candidates have no foreign key on events: those are never deleted, and to ask for each row took a part of
the time of writing it."""

from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("ALTER TABLE candidates DROP CONSTRAINT fk_candidates_event_id")


def downgrade() -> None:
    raise NotImplementedError("Goniec's migrations go forward; restore a backup to go back")
