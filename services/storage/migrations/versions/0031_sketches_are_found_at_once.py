"""New sketches go into their index at once: a list of pending ones was read whole at every look."""

from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("ALTER INDEX ix_sketches_indexed SET (fastupdate = off)")
    op.execute("SELECT gin_clean_pending_list('ix_sketches_indexed')")


def downgrade() -> None:
    raise NotImplementedError("Goniec's migrations go forward; restore a backup to go back")
