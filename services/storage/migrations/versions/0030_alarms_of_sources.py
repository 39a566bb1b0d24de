"""What of a source's last document only attacks are built of: it is read, and its health says so."""

from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("ALTER TABLE sources ADD COLUMN alarm text")


def downgrade() -> None:
    raise NotImplementedError("Goniec's migrations go forward; restore a backup to go back")
