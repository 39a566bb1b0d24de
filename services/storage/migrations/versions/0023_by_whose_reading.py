"""Sketches say by whose reading of words they were made, so that others are made anew."""

from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("ALTER TABLE sketches ADD COLUMN analyser text NOT NULL DEFAULT ''")


def downgrade() -> None:
    raise NotImplementedError("Goniec's migrations go forward; restore a backup to go back")
