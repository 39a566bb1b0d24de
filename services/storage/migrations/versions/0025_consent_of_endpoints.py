"""An endpoint may say whether it is to be called, and how often (CloudEvents' handshake)."""

from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("""
        ALTER TABLE endpoints
            ADD COLUMN consent text,
            ADD COLUMN consent_because text,
            ADD COLUMN consent_at timestamptz,
            ADD COLUMN allowed_per_min bigint
    """)


def downgrade() -> None:
    raise NotImplementedError("Goniec's migrations go forward; restore a backup to go back")
