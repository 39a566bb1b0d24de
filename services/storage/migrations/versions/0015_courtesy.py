"""Courtesy to publishers: hosts are asked one request at a time, and how long an answer holds is kept."""

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("ALTER TABLE sources ADD COLUMN asked_s bigint NOT NULL DEFAULT 0")
    op.execute(
        """
        ALTER TABLE sources ADD COLUMN host text GENERATED ALWAYS AS
            (lower(substring(address from '^[a-zA-Z]+://(?:[^/@?#]*@)?([^/?#]+)'))) STORED
        """
    )
    op.execute("CREATE INDEX ix_sources_host ON sources (host)")


def downgrade() -> None:
    raise NotImplementedError("Goniec's migrations go forward; restore a backup to go back")
