"""Sketches of recent notices: the same news told by another institution is one story."""

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute(
        """
        CREATE TABLE sketches (
            notice_id bigint CONSTRAINT pk_sketches PRIMARY KEY
                CONSTRAINT fk_sketches_notice_id REFERENCES notices (id) ON DELETE CASCADE,
            source_id bigint NOT NULL,
            institution_id bigint NOT NULL,
            at timestamptz NOT NULL,
            starts_at timestamptz,
            indexed bigint[] NOT NULL,
            sketch jsonb NOT NULL
        )
        """
    )
    op.execute("CREATE INDEX ix_sketches_indexed ON sketches USING gin (indexed)")
    op.execute("CREATE INDEX ix_sketches_starts_at ON sketches (starts_at)")
    op.execute("CREATE INDEX ix_sketches_source_id_at ON sketches (source_id, at)")
    op.execute("CREATE INDEX ix_sketches_at ON sketches (at)")


def downgrade() -> None:
    raise NotImplementedError("Goniec's migrations go forward; restore a backup to go back")
