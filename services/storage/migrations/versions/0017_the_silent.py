"""When a person was last heard of, and whether they were asked to stay. Those who are here count from the
last thing that is known of them."""

from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("""
        ALTER TABLE subscribers ADD COLUMN heard_at timestamptz, ADD COLUMN asked_at timestamptz,
            ADD COLUMN reminded_at timestamptz
    """)
    op.execute("""
        UPDATE subscribers r SET heard_at = greatest(
            r.confirmed_at,
            (SELECT max(c.at) FROM consents c WHERE c.email_hash = r.email_hash),
            (SELECT max(s.created_at) FROM subscriptions s WHERE s.subscriber_id = r.id),
            (SELECT max(m.created_at) FROM mutes m WHERE m.subscriber_id = r.id))
        WHERE r.state = 'active'
    """)
    op.execute("CREATE INDEX ix_subscribers_silent ON subscribers (heard_at) WHERE state = 'active'")
    op.execute("CREATE INDEX ix_subscribers_asked ON subscribers (asked_at) WHERE asked_at IS NOT NULL")


def downgrade() -> None:
    raise NotImplementedError("Goniec's migrations go forward; restore a backup to go back")
