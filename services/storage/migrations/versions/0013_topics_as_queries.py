"""An operator may define each topic by a query of their own."""

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("""
        CREATE TABLE topic_rules (
            topic text NOT NULL CONSTRAINT pk_topic_rules PRIMARY KEY,
            query text NOT NULL,
            updated_at timestamptz NOT NULL
        )
    """)


def downgrade() -> None:
    raise NotImplementedError("Goniec's migrations go forward; restore a backup to go back")
