"""Other doors than feeds: what an editor tells their readers, what those keep, and what robots.txt said."""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("ALTER TABLE sources ADD COLUMN rules JSONB DEFAULT '{}' NOT NULL")
    op.execute("ALTER TABLE sources ADD COLUMN memory JSONB DEFAULT '{}' NOT NULL")
    op.execute("""
        CREATE TABLE robots_files (
            origin TEXT NOT NULL,
            fetched_at TIMESTAMP WITH TIME ZONE NOT NULL,
            status BIGINT,
            body TEXT NOT NULL,
            CONSTRAINT pk_robots_files PRIMARY KEY (origin)
        )
    """)


def downgrade() -> None:
    raise NotImplementedError("Goniec's migrations go forward; restore a backup to go back")
