"""What Alembic runs to take the steps: within the transaction of the connection that it was given."""

from alembic import context

from reenact.store.control.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
context.run_migrations()
