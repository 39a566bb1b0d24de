"""A reader's own times: the usual cadence, quiet hours, and the most that may come in a day."""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("""
        ALTER TABLE subscribers ADD COLUMN cadence TEXT DEFAULT 'daily@07:00' NOT NULL,
            ADD COLUMN quiet_from TEXT, ADD COLUMN quiet_until TEXT, ADD COLUMN daily_budget BIGINT
    """)
    op.execute("ALTER TABLE subscriptions ADD COLUMN follows_usual BOOLEAN DEFAULT 'false' NOT NULL")


def downgrade() -> None:
    raise NotImplementedError("Goniec's migrations go forward; restore a backup to go back")
