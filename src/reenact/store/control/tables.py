"""The tables of the control store."""

import sqlalchemy as sa

REVISION = "2"
"""Of these tables: the newest step in `migrations/versions`, as Alembic notes it in `alembic_version`."""

metadata = sa.MetaData()

organisations = sa.Table(
    "organisations",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("created_us", sa.BigInteger, nullable=False),
)

keys = sa.Table(
    "keys",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("organisation_id", sa.Text, sa.ForeignKey("organisations.id"), nullable=False, index=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("permissions", sa.Text, nullable=False),
    sa.Column("key_hash", sa.LargeBinary, nullable=False, unique=True),
    sa.Column("last_four", sa.Text, nullable=False),
    sa.Column("created_us", sa.BigInteger, nullable=False),
    sa.Column("deleted_us", sa.BigInteger),
)

replays = sa.Table(
    "replays",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("organisation_id", sa.Text, nullable=False),
    sa.Column("session_id", sa.Text, nullable=False),
    sa.Column("created_us", sa.BigInteger, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("plan", sa.LargeBinary, nullable=False),  # MessagePack; written once
    sa.Column("progress", sa.LargeBinary, nullable=False),  # MessagePack of all other fields
    sa.Index("replays_by_session", "organisation_id", "session_id", "created_us"),
)

hidden_properties = sa.Table(
    "hidden_properties",
    metadata,
    sa.Column("organisation_id", sa.Text, primary_key=True),
    sa.Column("key_lower", sa.Text, primary_key=True),
    sa.Column("key", sa.Text, nullable=False),
)

leases = sa.Table(
    "leases",
    metadata,
    sa.Column("replay_id", sa.Text, primary_key=True),
    sa.Column("worker", sa.Text, nullable=False),
    sa.Column("until_us", sa.BigInteger, nullable=False),
    sa.Column("wish", sa.Text),  # what another worker was asked to have done with it: a State's value
)

cohorts = sa.Table(
    "cohorts",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("organisation_id", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),  # of the name, counted from 1
    sa.Column("created_us", sa.BigInteger, nullable=False),
    sa.Column("source", sa.LargeBinary, nullable=False),  # JSON of the filter it was taken by; null for a list
    sa.Column("session_ids", sa.LargeBinary, nullable=False),  # MessagePack; never changed
    sa.UniqueConstraint("organisation_id", "name", "version"),
)

batches = sa.Table(
    "batches",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("organisation_id", sa.Text, nullable=False),
    sa.Column("created_us", sa.BigInteger, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("content", sa.LargeBinary, nullable=False),  # MessagePack
    sa.Index("batches_by_time", "organisation_id", "created_us"),
)

prompts = sa.Table(
    "prompts",
    metadata,
    sa.Column("organisation_id", sa.Text, primary_key=True),
    sa.Column("id", sa.Text, primary_key=True),  # short, and the organisation's own
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("tags", sa.LargeBinary, nullable=False),  # MessagePack
    sa.Column("created_us", sa.BigInteger, nullable=False),
)

versions = sa.Table(
    "prompt_versions",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("organisation_id", sa.Text, nullable=False),
    sa.Column("prompt_id", sa.Text, nullable=False),
    sa.Column("major", sa.Integer, nullable=False),
    sa.Column("minor", sa.Integer, nullable=False),
    sa.Column("commit_message", sa.Text, nullable=False),
    sa.Column("created_us", sa.BigInteger, nullable=False),
    sa.Column("body", sa.LargeBinary, nullable=False),  # JSON; never changed
    sa.UniqueConstraint("organisation_id", "prompt_id", "major", "minor"),
)

environments = sa.Table(
    "prompt_environments",
    metadata,
    sa.Column("organisation_id", sa.Text, primary_key=True),
    sa.Column("prompt_id", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("version_id", sa.Text, nullable=False),
)

sa.Table("control_version", metadata, sa.Column("version", sa.Integer, nullable=False))
# Versions of Reenact before Alembic read it in PostgreSQL, as they read a file's `user_version`. It says 2, which they refuse.
