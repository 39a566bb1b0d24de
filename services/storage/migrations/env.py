"""Alembic's door: runs migrations on the connection that `services.storage.schema` hands over."""

from alembic import context

from services.storage.tables import Base

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=Base.metadata, transaction_per_migration=True)
with context.begin_transaction():
    context.run_migrations()
