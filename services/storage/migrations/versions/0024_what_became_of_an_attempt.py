"""An attempt at a webhook tells where its time went, what was dialled and answered, whose fault it was."""

from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("""
        ALTER TABLE attempts
            ADD COLUMN phases jsonb,
            ADD COLUMN address text,
            ADD COLUMN kind text,
            ADD COLUMN fault text,
            ADD COLUMN answer text
    """)


def downgrade() -> None:
    raise NotImplementedError("Goniec's migrations go forward; restore a backup to go back")
