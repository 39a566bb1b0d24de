"""Mail has an order (what cannot wait goes first) and a pace, one line for everybody and one a domain."""

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("ALTER TABLE deliveries ADD COLUMN weight bigint NOT NULL DEFAULT 1")
    op.execute("""
        CREATE INDEX ix_deliveries_mail_in_order ON deliveries (weight, due_at, id)
        WHERE channel = 'email' AND state IN ('pending', 'retry', 'sending')
    """)
    op.execute("""
        CREATE TABLE mail_paces (
            name text CONSTRAINT pk_mail_paces PRIMARY KEY,
            next_at timestamptz NOT NULL,
            line_at timestamptz NOT NULL
        )
    """)


def downgrade() -> None:
    raise NotImplementedError("Goniec's migrations go forward; restore a backup to go back")
