"""The tables of the ClickHouse store, rendered from one template for a single node, the embedded engine and a cluster.

Every table begins with the organisation, and all but one are `ReplacingMergeTree`s: a row saved twice is one row after a merge,
and reads do not wait for that. Calls are ordered by time, bodies and parts by session, so that neighbours compress each other.
On a cluster the tables hold the name with `_local` and a `Distributed` table has the name itself; organisation and session
decide the shard, so that a session's rows stand together. Settings were measured; see docs/scale.md.
"""

import msgspec

VERSION = 4
"""Of the tables below. Since 2 the engine drops no block that it believes to know; since 4 sums stand ready."""

_DURABLE = (
    "fsync_after_insert = 1, fsync_part_directory = 1, "
    "min_rows_to_fsync_after_merge = 1, min_compressed_bytes_to_fsync_after_merge = 1, "
    # Merged parts are on the disk, so that those they were made of need not be kept for long.
    "old_parts_lifetime = 10"
)
_MONTHLY = "toYYYYMM(fromUnixTimestamp64Micro({}, 'UTC'))"
_SHARD = "cityHash64(organisation_id, session_key)"
_OF_ORGANISATION = "cityHash64(organisation_id)"
HOUR = "intDiv(created_us, 3600000000)"
"""Which hour since the epoch a call was made in."""


class Table(msgspec.Struct, frozen=True, kw_only=True):
    """One table of the template."""

    columns: str
    replacing: str
    """What decides which of two rows with one key stays: a version, and whether it marks a deletion."""
    order: str
    adding: str = ""
    """The columns that rows with one key become one in, where none of them replaces another."""
    partition: str = ""
    settings: str = ""
    shard: str = _SHARD


TABLES: dict[str, Table] = {
    # `session_key` is the session that the call was recorded under, empty for none: it never changes, so that a call that
    # is moved to another session still has its rows on one shard.
    "calls": Table(
        columns="""
  organisation_id LowCardinality(String),
  id String CODEC(ZSTD(1)),
  created_us Int64 CODEC(Delta, ZSTD(1)),
  session_key String CODEC(ZSTD(1)),
  duration_us Int64 CODEC(T64, ZSTD(1)),
  first_token_us Nullable(Int64) CODEC(ZSTD(1)),
  kind LowCardinality(String),
  dialect LowCardinality(String),
  provider LowCardinality(String),
  model LowCardinality(String),
  request_model LowCardinality(Nullable(String)),
  response_model LowCardinality(Nullable(String)),
  response_id Nullable(String) CODEC(ZSTD(1)),
  status Int64 CODEC(ZSTD(1)),
  ending LowCardinality(String),
  detail String CODEC(ZSTD(1)),
  streamed Bool CODEC(ZSTD(1)),
  stop_reason LowCardinality(Nullable(String)),
  error Nullable(String) CODEC(ZSTD(1)),
  session_id Nullable(String) CODEC(ZSTD(1)),
  session_name LowCardinality(Nullable(String)),
  session_path Nullable(String) CODEC(ZSTD(1)),
  session_inferred Bool CODEC(ZSTD(1)),
  prompt_id LowCardinality(Nullable(String)),
  user_id Nullable(String) CODEC(ZSTD(1)),
  model_override LowCardinality(Nullable(String)),
  replay_id Nullable(String) CODEC(ZSTD(1)),
  replay_take Nullable(Int64) CODEC(ZSTD(1)),
  source_session_id Nullable(String) CODEC(ZSTD(1)),
  source_call_id Nullable(String) CODEC(ZSTD(1)),
  replay_arm LowCardinality(Nullable(String)),
  input_tokens Nullable(Int64) CODEC(ZSTD(1)),
  output_tokens Nullable(Int64) CODEC(ZSTD(1)),
  cache_read_tokens Nullable(Int64) CODEC(ZSTD(1)),
  cache_write_tokens Nullable(Int64) CODEC(ZSTD(1)),
  input_audio_tokens Nullable(Int64) CODEC(ZSTD(1)),
  output_audio_tokens Nullable(Int64) CODEC(ZSTD(1)),
  reasoning_tokens Nullable(Int64) CODEC(ZSTD(1)),
  cost_nanodollars Nullable(Int64) CODEC(ZSTD(1)),
  url LowCardinality(String),
  target_url LowCardinality(String),
  method LowCardinality(String),
  request_body_bytes Int64 CODEC(ZSTD(1)),
  response_body_bytes Int64 CODEC(ZSTD(1)),
  unreadable Nullable(String) CODEC(ZSTD(1)),
  handling String CODEC(ZSTD(1)),
  told String CODEC(ZSTD(1)),
  is_cached Bool CODEC(ZSTD(1)),
  is_threat Bool CODEC(ZSTD(1)),
  properties Map(LowCardinality(String), String) CODEC(ZSTD(1)),
  spellings Map(LowCardinality(String), LowCardinality(String)) CODEC(ZSTD(1)),
  request_words String CODEC(ZSTD(3)),
  answer_words String CODEC(ZSTD(3)),
  version UInt64 CODEC(Delta, ZSTD(1)),
  is_deleted UInt8 CODEC(ZSTD(1)),
  INDEX by_session session_id TYPE bloom_filter(0.001) GRANULARITY 1,
  INDEX by_user user_id TYPE bloom_filter(0.01) GRANULARITY 1,
  INDEX by_property_key mapKeys(properties) TYPE bloom_filter(0.01) GRANULARITY 1,
  INDEX by_property_value mapValues(properties) TYPE bloom_filter(0.01) GRANULARITY 1,
  INDEX by_request_words request_words TYPE text(tokenizer = splitByString([' '])),
  INDEX by_answer_words answer_words TYPE text(tokenizer = splitByString([' ']))""",
        replacing="version, is_deleted",
        partition=_MONTHLY.format("created_us"),
        order="organisation_id, created_us, id",
        settings="index_granularity = 4096",
    ),
    # From an id to the key of its call and of its body.
    "call_keys": Table(
        columns="""
  organisation_id LowCardinality(String),
  id String CODEC(ZSTD(1)),
  created_us Int64 CODEC(ZSTD(1)),
  session_key String CODEC(ZSTD(1)),
  version UInt64 CODEC(ZSTD(1)),
  is_deleted UInt8 CODEC(ZSTD(1))""",
        replacing="version",
        order="organisation_id, id",
        settings="index_granularity = 512",
    ),
    # Calls that no query finds any more, whose rows are still in the files.
    "removals": Table(
        columns="""
  organisation_id LowCardinality(String),
  id String,
  session_key String,
  is_discarded UInt8,
  is_done UInt8,
  version UInt64""",
        replacing="version",
        order="organisation_id, id",
    ),
    "bodies": Table(
        columns="""
  organisation_id LowCardinality(String),
  session_key String CODEC(ZSTD(1)),
  created_us Int64 CODEC(Delta, ZSTD(1)),
  id String CODEC(ZSTD(1)),
  part_digests Array(FixedString(16)) CODEC(ZSTD(1)),
  content String CODEC(ZSTD(3)),
  version UInt64 CODEC(ZSTD(1))""",
        replacing="version",
        partition=_MONTHLY.format("created_us"),
        order="organisation_id, session_key, created_us, id",
        settings="index_granularity_bytes = 1048576",
    ),
    "parts": Table(
        columns="""
  organisation_id LowCardinality(String),
  session_key String CODEC(ZSTD(1)),
  digest FixedString(16),
  first_us Int64 CODEC(Delta, ZSTD(1)),
  content String CODEC(ZSTD(3))""",
        replacing="",
        partition=_MONTHLY.format("first_us"),
        order="organisation_id, session_key, digest",
        settings="index_granularity_bytes = 1048576",
    ),
    # Which objects bodies are made of: what is large in them stands outside the database.
    "object_uses": Table(
        columns="""
  organisation_id LowCardinality(String),
  key String CODEC(ZSTD(1)),
  id String CODEC(ZSTD(1)),
  session_key String CODEC(ZSTD(1)),
  piece_bytes Int64 CODEC(ZSTD(1)),
  version UInt64 CODEC(ZSTD(1)),
  INDEX by_call id TYPE bloom_filter(0.001) GRANULARITY 1""",
        replacing="version",
        order="organisation_id, key, id",
    ),
    # What was said of calls since they were recorded, and every score: apart, so that a rating costs one small row.
    "annotations": Table(
        columns="""
  organisation_id LowCardinality(String),
  kind Enum8('score' = 1, 'property' = 2, 'feedback' = 3),
  key_lower LowCardinality(String),
  created_us Int64 CODEC(Delta, ZSTD(1)),
  call_id String CODEC(ZSTD(1)),
  session_key String CODEC(ZSTD(1)),
  key LowCardinality(String),
  number Float64 CODEC(ZSTD(1)),
  text String CODEC(ZSTD(1)),
  version UInt64 CODEC(ZSTD(1)),
  INDEX by_call call_id TYPE bloom_filter(0.001) GRANULARITY 1""",
        replacing="version",
        partition=_MONTHLY.format("created_us"),
        order="organisation_id, kind, key_lower, created_us, call_id",
        settings="index_granularity = 4096",
    ),
    # How often calls of an hour were written, and when last: what stands ready is right of hours that were not written since.
    "hour_changes": Table(
        columns="""
  organisation_id LowCardinality(String),
  hour Int64 CODEC(Delta, ZSTD(1)),
  times UInt64 CODEC(ZSTD(1)),
  latest_us SimpleAggregateFunction(max, Int64) CODEC(ZSTD(1))""",
        replacing="",
        adding="(times, latest_us)",
        order="organisation_id, hour",
        shard=_OF_ORGANISATION,
    ),
    # What stands ready of which spans, hours and days: what was made by the latest settlement of each, while its calls had
    # been written so many times. Spans count from the epoch. Plain is an hour without rows that others replace or delete.
    "settled_spans": Table(
        columns="""
  organisation_id LowCardinality(String),
  span_us Int64 CODEC(ZSTD(1)),
  span Int64 CODEC(Delta, ZSTD(1)),
  times UInt64 CODEC(ZSTD(1)),
  is_plain UInt8 CODEC(ZSTD(1)),
  settlement UInt64 CODEC(ZSTD(1))""",
        replacing="settlement",
        order="organisation_id, span_us, span",
        shard=_OF_ORGANISATION,
    ),
    "span_sums": Table(
        columns="""
  organisation_id LowCardinality(String),
  span_us Int64 CODEC(ZSTD(1)),
  span Int64 CODEC(Delta, ZSTD(1)),
  model LowCardinality(String),
  provider LowCardinality(String),
  status Int64 CODEC(ZSTD(1)),
  calls Int64 CODEC(ZSTD(1)),
  failed_calls Int64 CODEC(ZSTD(1)),
  cached_calls Int64 CODEC(ZSTD(1)),
  threats Int64 CODEC(ZSTD(1)),
  unpriced_calls Int64 CODEC(ZSTD(1)),
  cost_nanodollars Int64 CODEC(ZSTD(1)),
  input_tokens Int64 CODEC(ZSTD(1)),
  output_tokens Int64 CODEC(ZSTD(1)),
  cache_read_tokens Int64 CODEC(ZSTD(1)),
  cache_write_tokens Int64 CODEC(ZSTD(1)),
  duration_us Int64 CODEC(ZSTD(1)),
  first_token_us Int64 CODEC(ZSTD(1)),
  first_token_calls Int64 CODEC(ZSTD(1)),
  first_us Int64 CODEC(ZSTD(1)),
  latest_us Int64 CODEC(ZSTD(1)),
  settlement UInt64 CODEC(ZSTD(1))""",
        replacing="",
        order="organisation_id, span_us, span, model, provider, status, settlement",
        shard=_OF_ORGANISATION,
    ),
    # Each value of a property that calls of a span were recorded with, once, and an empty one.
    "span_properties": Table(
        columns="""
  organisation_id LowCardinality(String),
  span_us Int64 CODEC(ZSTD(1)),
  key_lower LowCardinality(String),
  value String CODEC(ZSTD(1)),
  span Int64 CODEC(Delta, ZSTD(1)),
  key LowCardinality(String),
  settlement UInt64 CODEC(ZSTD(1))""",
        replacing="",
        order="organisation_id, span_us, key_lower, value, span, settlement",
        shard=_OF_ORGANISATION,
    ),
    "gaps": Table(
        columns="""
  organisation_id LowCardinality(String),
  first_us Int64,
  last_us Int64,
  reason String,
  count Int64,
  version UInt64""",
        replacing="version",
        order="organisation_id, first_us, last_us, reason",
        shard=_OF_ORGANISATION,
    ),
    "unreadables": Table(
        columns="digest FixedString(16), reason String, raw String CODEC(ZSTD(3)), version UInt64",
        replacing="version",
        order="digest",
        shard="cityHash64(digest)",
    ),
    "cursors": Table(
        columns="spool String, segment Int64, offset_bytes Int64, version UInt64",
        replacing="version",
        order="spool",
        shard="cityHash64(spool)",
    ),
    "versions": Table(columns="name String, tables Int64", replacing="tables", order="name", shard="cityHash64(name)"),
}
"""By name."""


def render(database: str, *, cluster: str = "", text_index: bool = True) -> list[str]:
    """Return the statements that make all tables of *database*, each of which does nothing when its table is there.

    *cluster* is the name of a cluster in the server's configuration, which must define the macros `{shard}` and
    `{replica}`; empty for a single node. Replicas keep each other's data, so only a single node waits for its disk.
    """
    base, on = quoted(database), f" ON CLUSTER {quoted(cluster)}" if cluster else ""
    statements = [f"CREATE DATABASE IF NOT EXISTS {base}{on}"]
    for name, table in TABLES.items():
        local = f"{base}.{name}_local" if cluster else f"{base}.{name}"
        statements.append(_table(local + on, table, is_replicated=bool(cluster), text_index=text_index))
        if cluster:
            spread = f"Distributed({quoted(cluster)}, {base}, {name}_local, {table.shard})"
            statements.append(f"CREATE TABLE IF NOT EXISTS {base}.{name}{on} AS {local} ENGINE = {spread}")
    return statements


def migrate(database: str, found: int, *, cluster: str = "") -> list[str]:
    """Return the statements that bring tables of version *found* up to VERSION; 0 are tables that were just made."""
    base, on = quoted(database), f" ON CLUSTER {quoted(cluster)}" if cluster else ""
    statements, suffix = [], "_local" if cluster else ""
    if found == 1:
        setting = _undeduplicated(is_replicated=bool(cluster))
        statements = [f"ALTER TABLE {base}.{name}{suffix}{on} MODIFY SETTING {setting}" for name in TABLES]
    if 0 < found < 4:
        statements.append(f"ALTER TABLE {base}.calls{suffix}{on} MODIFY COLUMN duration_us Int64 CODEC(T64, ZSTD(1))")
        # Hours of calls that were saved before are settled like any others.
        statements.append(
            f"INSERT INTO {base}.hour_changes SELECT organisation_id, {HOUR} AS hour, count(), 0 "
            f"FROM {base}.calls GROUP BY organisation_id, hour"
        )
    return statements


def _undeduplicated(*, is_replicated: bool) -> str:
    """Return the setting that lets each block be taken in, however often it was sent: its rows replace their like.

    A single node notes a block before it has the block: killed in between, it would drop what is sent again.
    """
    return f"{'' if is_replicated else 'non_'}replicated_deduplication_window = 0"


def quoted(name: str) -> str:
    """Return *name* as an identifier."""
    return "`" + name.replace("\\", "\\\\").replace("`", "\\`") + "`"


def _table(name: str, table: Table, *, is_replicated: bool, text_index: bool) -> str:
    """Return the statement that makes one table of rows."""
    columns = table.columns
    if not text_index:
        columns = ",\n".join(line for line in columns.split(",\n") if " TYPE text(" not in line)
    path = ["'/clickhouse/tables/{shard}/{database}/{table}'", "'{replica}'"] if is_replicated else []
    arguments = ", ".join([*path, *filter(None, [table.replacing, table.adding])])
    engine = "SummingMergeTree" if table.adding else "ReplacingMergeTree"
    kept = [table.settings] if table.settings else []
    kept.append(_undeduplicated(is_replicated=is_replicated))
    kept += [] if is_replicated else [_DURABLE]
    return (
        f"CREATE TABLE IF NOT EXISTS {name} ({columns}\n)\n"
        f"ENGINE = {'Replicated' if is_replicated else ''}{engine}({arguments})\n"
        + (f"PARTITION BY {table.partition}\n" if table.partition else "")
        + f"ORDER BY ({table.order})\nSETTINGS {', '.join(kept)}"
    )
