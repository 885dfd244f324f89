"""The tables of the control store."""

import sqlalchemy as sa

VERSION = 1
"""Of these tables, kept as the file's `user_version`."""

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
