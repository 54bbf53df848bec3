"""Run by Alembic on the connection that `Store.migrate` hands over."""

from alembic import context

from bot.store import indexed, talk  # noqa: F401 (their tables belong to the same metadata)
from bot.store.tables import Row

connection = context.config.attributes.get("connection")
if connection is not None:
    context.configure(connection=connection, target_metadata=Row.metadata, render_as_batch=True)
    context.run_migrations()
