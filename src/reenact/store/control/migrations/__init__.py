"""How the control tables came to be what they are, in the form that Alembic runs; `store.control.migrator` lets it."""
