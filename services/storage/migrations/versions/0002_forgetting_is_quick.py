"""Candidates go with their subscription alone: two more ways to them made each erasure read them all."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("ALTER TABLE candidates DROP CONSTRAINT fk_candidates_subscriber_id")
    op.execute("ALTER TABLE candidates DROP CONSTRAINT fk_candidates_issue_id")


def downgrade() -> None:
    raise NotImplementedError("Goniec's migrations go forward; restore a backup to go back")
