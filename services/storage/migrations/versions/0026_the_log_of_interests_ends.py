"""How far back the log of interests goes, so that what every matcher has read can be forgotten."""

from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("""
        CREATE TABLE interest_log (
            id bigint NOT NULL,
            pruned xid8 NOT NULL,
            mark xid8 NOT NULL,
            marked_at timestamp with time zone NOT NULL,
            CONSTRAINT pk_interest_log PRIMARY KEY (id),
            CONSTRAINT ck_interest_log_one_row CHECK (id = 1)
        )
    """)


def downgrade() -> None:
    raise NotImplementedError("Goniec's migrations go forward; restore a backup to go back")
