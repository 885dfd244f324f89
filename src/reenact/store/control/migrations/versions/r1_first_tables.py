"""Revision 1: the tables as they were before Alembic kept their version.

Folders of that time may have any part of these tables, for each start made those that were missing: so each is made
unless it is there.
"""

import sqlalchemy as sa
from alembic import op

revision = "1"
down_revision = None


def upgrade() -> None:
    """Make what is missing, and tell earlier versions of Reenact that the tables are no longer theirs."""
    op.create_table(
        "organisations",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("created_us", sa.BigInteger, nullable=False),
        if_not_exists=True,
    )
    op.create_table(
        "keys",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("organisation_id", sa.Text, sa.ForeignKey("organisations.id"), nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("permissions", sa.Text, nullable=False),
        sa.Column("key_hash", sa.LargeBinary, nullable=False, unique=True),
        sa.Column("last_four", sa.Text, nullable=False),
        sa.Column("created_us", sa.BigInteger, nullable=False),
        sa.Column("deleted_us", sa.BigInteger),
        if_not_exists=True,
    )
    op.create_index("ix_keys_organisation_id", "keys", ["organisation_id"], if_not_exists=True)
    op.create_table(
        "hidden_properties",
        sa.Column("organisation_id", sa.Text, primary_key=True),
        sa.Column("key_lower", sa.Text, primary_key=True),
        sa.Column("key", sa.Text, nullable=False),
        if_not_exists=True,
    )
    _tables_of_replays()
    _disown()


def _tables_of_replays() -> None:
    op.create_table(
        "replays",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("organisation_id", sa.Text, nullable=False),
        sa.Column("session_id", sa.Text, nullable=False),
        sa.Column("created_us", sa.BigInteger, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("plan", sa.LargeBinary, nullable=False),
        sa.Column("progress", sa.LargeBinary, nullable=False),
        if_not_exists=True,
    )
    by_session = ["organisation_id", "session_id", "created_us"]
    op.create_index("replays_by_session", "replays", by_session, if_not_exists=True)
    op.create_table(
        "leases",
        sa.Column("replay_id", sa.Text, primary_key=True),
        sa.Column("worker", sa.Text, nullable=False),
        sa.Column("until_us", sa.BigInteger, nullable=False),
        sa.Column("wish", sa.Text),
        if_not_exists=True,
    )
    op.create_table(
        "cohorts",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("organisation_id", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("created_us", sa.BigInteger, nullable=False),
        sa.Column("source", sa.LargeBinary, nullable=False),
        sa.Column("session_ids", sa.LargeBinary, nullable=False),
        sa.UniqueConstraint("organisation_id", "name", "version"),
        if_not_exists=True,
    )
    op.create_table(
        "batches",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("organisation_id", sa.Text, nullable=False),
        sa.Column("created_us", sa.BigInteger, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("content", sa.LargeBinary, nullable=False),
        if_not_exists=True,
    )
    op.create_index("batches_by_time", "batches", ["organisation_id", "created_us"], if_not_exists=True)


def _disown() -> None:
    """Let versions before Alembic, which know tables 1, refuse with their own sentence."""
    op.create_table("control_version", sa.Column("version", sa.Integer, nullable=False), if_not_exists=True)
    op.execute("DELETE FROM control_version")
    op.execute("INSERT INTO control_version (version) VALUES (2)")
    if op.get_context().dialect.name == "sqlite":
        op.execute("PRAGMA user_version = 2")
