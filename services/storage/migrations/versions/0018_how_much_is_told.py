"""An endpoint chooses how much of an event it is told; what a difference is told against stays as it was."""

from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("ALTER TABLE endpoints ADD COLUMN content text NOT NULL DEFAULT 'fat'")
    op.execute("ALTER TABLE deliveries ADD COLUMN base_revision bigint")


def downgrade() -> None:
    raise NotImplementedError("Goniec's migrations go forward; restore a backup to go back")
