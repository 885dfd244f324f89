"""The tables of the SQLite store, as numbered migrations: the n-th script leads from version n - 1 to version n.

Names: `organisation`, `session` and `call` are small numbers given by this database; ids as the world knows them stand in
`organisations.id`, `sessions.session_id` and `calls.id`. Every index begins with the organisation.
"""

PARTS = 2**31
"""More than a session can have."""

ENTRIES = 1024
"""Of the index of words, that a row of `word_spans` is about."""

_FIRST = """
CREATE TABLE organisations (organisation INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE);

CREATE TABLE sessions (
  session INTEGER PRIMARY KEY,
  organisation INTEGER NOT NULL,
  session_id TEXT NOT NULL,
  UNIQUE (organisation, session_id)
);

-- A session's life under one of its names, for lists; sums are taken from its calls.
CREATE TABLE session_names (
  session INTEGER NOT NULL,
  name TEXT NOT NULL,
  organisation INTEGER NOT NULL,
  first_us INTEGER NOT NULL,
  latest_us INTEGER NOT NULL,
  PRIMARY KEY (session, name)
) WITHOUT ROWID;
CREATE INDEX session_names_by_time ON session_names (organisation, latest_us, first_us);

CREATE TABLE calls (
  call INTEGER PRIMARY KEY,
  organisation INTEGER NOT NULL,
  id TEXT NOT NULL,
  created_us INTEGER NOT NULL,
  duration_us INTEGER NOT NULL,
  first_token_us INTEGER,
  kind TEXT NOT NULL,
  dialect TEXT NOT NULL,
  provider TEXT NOT NULL,
  model TEXT NOT NULL,
  request_model TEXT,
  response_model TEXT,
  response_id TEXT,
  status INTEGER NOT NULL,
  ending TEXT NOT NULL,
  detail TEXT NOT NULL,
  streamed INTEGER NOT NULL,
  stop_reason TEXT,
  error TEXT,
  session_id TEXT,
  session_name TEXT,
  session_path TEXT,
  session_inferred INTEGER NOT NULL,
  prompt_id TEXT,
  user_id TEXT,
  model_override TEXT,
  replay_id TEXT,
  replay_take INTEGER,
  source_session_id TEXT,
  source_call_id TEXT,
  replay_arm TEXT,
  input_tokens INTEGER,
  output_tokens INTEGER,
  cache_read_tokens INTEGER,
  cache_write_tokens INTEGER,
  input_audio_tokens INTEGER,
  output_audio_tokens INTEGER,
  reasoning_tokens INTEGER,
  cost_nanodollars INTEGER,
  url TEXT NOT NULL,
  target_url TEXT NOT NULL,
  method TEXT NOT NULL,
  request_body_bytes INTEGER NOT NULL,
  response_body_bytes INTEGER NOT NULL,
  unreadable TEXT,
  feedback INTEGER,
  UNIQUE (organisation, id)
);
CREATE INDEX calls_by_time ON calls (organisation, created_us, id);
CREATE INDEX calls_by_session ON calls (organisation, session_id, created_us, id) WHERE session_id IS NOT NULL;
CREATE INDEX calls_by_user ON calls (organisation, user_id, created_us, id) WHERE user_id IS NOT NULL;

CREATE TABLE properties (
  call INTEGER NOT NULL,
  key_lower TEXT NOT NULL,
  key TEXT NOT NULL,
  value TEXT NOT NULL,
  edited INTEGER NOT NULL, -- 1: set through the API after the call was recorded, and kept when it is read again
  organisation INTEGER NOT NULL,
  created_us INTEGER NOT NULL, -- of the call
  PRIMARY KEY (call, key_lower)
) WITHOUT ROWID;
CREATE INDEX properties_by_value ON properties (organisation, key_lower, value, created_us);

CREATE TABLE scores (
  call INTEGER NOT NULL,
  name_lower TEXT NOT NULL,
  name TEXT NOT NULL,
  value REAL NOT NULL,
  organisation INTEGER NOT NULL,
  created_us INTEGER NOT NULL, -- of the call
  PRIMARY KEY (call, name_lower)
) WITHOUT ROWID;
CREATE INDEX scores_by_name ON scores (organisation, name_lower, created_us, value);

-- The exchange as it was recorded, its request body cut into literals and the numbers of its session's parts.
CREATE TABLE bodies (call INTEGER PRIMARY KEY, session INTEGER, content BLOB NOT NULL);

CREATE TABLE parts (
  session INTEGER NOT NULL,
  number INTEGER NOT NULL,
  digest BLOB NOT NULL,
  content BLOB NOT NULL,
  PRIMARY KEY (session, number)
) WITHOUT ROWID;
CREATE UNIQUE INDEX parts_by_digest ON parts (session, digest);

-- Words of what was said. An entry that `words` does not name is stale and never found.
CREATE TABLE words (entry INTEGER PRIMARY KEY AUTOINCREMENT, call INTEGER NOT NULL, side INTEGER NOT NULL);
CREATE INDEX words_by_call ON words (call);
CREATE VIRTUAL TABLE words_index USING fts5 (text, content='', columnsize=0, detail=none, tokenize="ascii tokenchars '_'");

CREATE TABLE gaps (
  organisation INTEGER NOT NULL,
  first_us INTEGER NOT NULL,
  last_us INTEGER NOT NULL,
  reason TEXT NOT NULL,
  count INTEGER NOT NULL,
  PRIMARY KEY (organisation, first_us, last_us, reason)
) WITHOUT ROWID;

CREATE TABLE unreadables (digest BLOB PRIMARY KEY, reason TEXT NOT NULL, raw BLOB NOT NULL) WITHOUT ROWID;

CREATE TABLE cursors (spool TEXT PRIMARY KEY, segment INTEGER NOT NULL, offset_bytes INTEGER NOT NULL) WITHOUT ROWID;
"""

_SECOND = "ALTER TABLE calls ADD COLUMN handling TEXT; -- JSON; NULL when a call was only relayed, as most are"

_THIRD = "ALTER TABLE calls ADD COLUMN told TEXT; -- JSON; NULL when a call crossed the gateway"

_FOURTH = """
CREATE INDEX calls_by_source ON calls (organisation, source_session_id) WHERE source_session_id IS NOT NULL;
CREATE INDEX bodies_by_session ON bodies (session) WHERE session IS NOT NULL;

-- Calls that were removed and whose bytes may still lie about: in free pages, in the index of words, in other files.
CREATE TABLE removals (
  call INTEGER PRIMARY KEY,
  organisation INTEGER NOT NULL,
  id TEXT NOT NULL,
  session INTEGER,
  wiping INTEGER NOT NULL -- 1: every byte is to go; 0: only the room is wanted back
);

-- Entries that are still in the index of words and that no call has any more.
CREATE TABLE stale_words (entry INTEGER PRIMARY KEY);
WITH RECURSIVE entries (entry) AS (
  SELECT 1 WHERE EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = 'words')
  UNION ALL SELECT entry + 1 FROM entries WHERE entry < (SELECT seq FROM sqlite_sequence WHERE name = 'words')
)
INSERT INTO stale_words SELECT entry FROM entries EXCEPT SELECT entry FROM words;
CREATE TRIGGER words_go_stale AFTER DELETE ON words BEGIN INSERT OR IGNORE INTO stale_words VALUES (old.entry); END;
"""

# Large rows lie badly in an index, which a table WITHOUT ROWID is: most of them spill into pages of their own.
_FIFTH = f"""
CREATE TABLE parts_by_number (
  part INTEGER PRIMARY KEY, -- {PARTS} times the number of the session, and the number in it
  digest BLOB NOT NULL,
  content BLOB NOT NULL
);
INSERT INTO parts_by_number SELECT session * {PARTS} + number, digest, content FROM parts ORDER BY session, number;
DROP TABLE parts;
ALTER TABLE parts_by_number RENAME TO parts;
"""

_SAME_CELL = """organisation = {of}.organisation AND model = {of}.model AND provider = {of}.provider AND status = {of}.status
  AND span_us IN (3600000000, 86400000000) AND start_us = {of}.created_us / span_us * span_us"""
_ROLLED_SUMS = {
    "calls": "1",
    "failed_calls": "({of}.status < 0 OR {of}.status >= 400)",
    "cached_calls": "(json_extract({of}.handling, '$.cache_reference_id') IS NOT NULL)",
    "threats": "coalesce(json_extract({of}.handling, '$.is_threat'), 0)",
    "unpriced_calls": "({of}.kind = 'model' AND {of}.cost_nanodollars IS NULL)",
    "cost_nanodollars": "coalesce({of}.cost_nanodollars, 0)",
    "input_tokens": "coalesce({of}.input_tokens, 0)",
    "output_tokens": "coalesce({of}.output_tokens, 0)",
    "cache_read_tokens": "coalesce({of}.cache_read_tokens, 0)",
    "cache_write_tokens": "coalesce({of}.cache_write_tokens, 0)",
    "duration_us": "{of}.duration_us",
    "first_token_us": "coalesce({of}.first_token_us, 0)",
    "first_token_calls": "({of}.first_token_us IS NOT NULL)",
}
_ROLLED_NAMES = (
    f"organisation, span_us, start_us, model, provider, status, {', '.join(_ROLLED_SUMS)}, first_us, latest_us"
)
_ADD = f"""
  INSERT INTO rollups ({_ROLLED_NAMES})
  SELECT new.organisation, column1, new.created_us / column1 * column1, new.model, new.provider, new.status,
    {", ".join(text.format(of="new") for text in _ROLLED_SUMS.values())}, new.created_us, new.created_us
  FROM (VALUES (3600000000), (86400000000)) WHERE 1
  ON CONFLICT DO UPDATE SET {", ".join(f"{name} = {name} + excluded.{name}" for name in _ROLLED_SUMS)},
    first_us = min(first_us, excluded.first_us), latest_us = max(latest_us, excluded.latest_us);
"""
_NEXT = """(
      SELECT c.created_us FROM calls c
      WHERE c.organisation = old.organisation AND c.created_us >= rollups.start_us
        AND c.created_us < rollups.start_us + rollups.span_us
        AND c.model = old.model AND c.provider = old.provider AND c.status = old.status
      ORDER BY c.created_us {way} LIMIT 1
    )"""
# The first or last call of a cell that goes is the only one whose going cannot be subtracted: the next to it is looked up.
_TAKE = f"""
  DELETE FROM rollups WHERE {_SAME_CELL.format(of="old")} AND calls = 1;
  UPDATE rollups SET {", ".join(f"{name} = {name} - {text.format(of='old')}" for name, text in _ROLLED_SUMS.items())},
    first_us = CASE WHEN first_us < old.created_us THEN first_us ELSE {_NEXT.format(way="ASC")} END,
    latest_us = CASE WHEN latest_us > old.created_us THEN latest_us ELSE {_NEXT.format(way="DESC")} END
  WHERE {_SAME_CELL.format(of="old")};
"""
_ROLL = f"""
CREATE TRIGGER calls_roll_in AFTER INSERT ON calls BEGIN {_ADD} END;
CREATE TRIGGER calls_roll_out AFTER DELETE ON calls BEGIN {_TAKE} END;
CREATE TRIGGER calls_roll_over AFTER UPDATE OF
  organisation, created_us, model, provider, status, handling, kind, cost_nanodollars, input_tokens, output_tokens,
  cache_read_tokens, cache_write_tokens, duration_us, first_token_us
ON calls BEGIN {_TAKE} {_ADD} END;
"""
_SIXTH = f"""
DROP INDEX calls_by_time;
CREATE INDEX calls_by_time ON calls (organisation, created_us, id, duration_us);
-- Holds every call; only a question that names the condition is answered from it, and none is by accident.
CREATE INDEX calls_by_duration ON calls (organisation, duration_us, created_us) WHERE duration_us IS NOT NULL;

-- What the calls of each hour and of each day (UTC) sum to, for each model, provider and status. Triggers hold it to the calls.
CREATE TABLE rollups (
  organisation INTEGER NOT NULL,
  span_us INTEGER NOT NULL, -- of an hour or a day
  start_us INTEGER NOT NULL,
  model TEXT NOT NULL,
  provider TEXT NOT NULL,
  status INTEGER NOT NULL,
  {", ".join(f"{name} INTEGER NOT NULL" for name in _ROLLED_SUMS)},
  first_us INTEGER NOT NULL, -- when the first and the last of the calls were made
  latest_us INTEGER NOT NULL,
  PRIMARY KEY (organisation, span_us, start_us, model, provider, status)
) WITHOUT ROWID;
INSERT INTO rollups ({_ROLLED_NAMES})
SELECT c.organisation, 3600000000, c.created_us / 3600000000 * 3600000000, c.model, c.provider, c.status,
  {", ".join(f"sum({text.format(of='c')})" for text in _ROLLED_SUMS.values())}, min(c.created_us), max(c.created_us)
FROM calls c GROUP BY 1, 3, 4, 5, 6;
INSERT INTO rollups ({_ROLLED_NAMES})
SELECT organisation, 86400000000, start_us / 86400000000 * 86400000000, model, provider, status,
  {", ".join(f"sum({name})" for name in _ROLLED_SUMS)}, min(first_us), max(latest_us)
FROM rollups GROUP BY 1, 3, 4, 5, 6;
{_ROLL}
"""

# Ids in indexes only broke ties between calls of one microsecond, which are now sorted when they are met. From here on,
# contents are compressed with `store.vocabulary`; what was compressed without it is read as before.
_SEVENTH = """
DROP INDEX calls_by_time;
DROP INDEX calls_by_session;
DROP INDEX calls_by_user;
CREATE INDEX calls_by_time ON calls (organisation, created_us, duration_us);
CREATE INDEX calls_by_session ON calls (organisation, session_id, created_us) WHERE session_id IS NOT NULL;
CREATE INDEX calls_by_user ON calls (organisation, user_id, created_us) WHERE user_id IS NOT NULL;
"""

_EIGHTH = """
-- What is large in bodies and stands outside this file: images, sounds, long values.
CREATE TABLE objects (
  object INTEGER PRIMARY KEY,
  organisation INTEGER NOT NULL,
  key TEXT NOT NULL,
  bytes INTEGER NOT NULL,
  UNIQUE (organisation, key)
);
CREATE TABLE object_uses (call INTEGER NOT NULL, object INTEGER NOT NULL, PRIMARY KEY (call, object)) WITHOUT ROWID;
CREATE INDEX object_uses_by_object ON object_uses (object);
"""

_NINTH = f"""
-- When the first and the last call were made that so many entries of the index of words in a row are of, so that a list by
-- time knows that no entry it has not looked at belongs into its page. May be too wide, never too narrow.
CREATE TABLE word_spans (span INTEGER PRIMARY KEY, first_us INTEGER NOT NULL, latest_us INTEGER NOT NULL);
INSERT INTO word_spans SELECT w.entry / {ENTRIES}, min(c.created_us), max(c.created_us)
FROM words w JOIN calls c ON c.call = w.call GROUP BY 1;
"""

_OF_A_FORM = ("url", "target_url", "method", "dialect", "ending", "request_model", "response_model", "stop_reason")
_OF_A_CALL = {
    "organisation": "INTEGER NOT NULL",
    "id": "TEXT NOT NULL",
    "created_us": "INTEGER NOT NULL",
    "duration_us": "INTEGER NOT NULL",
    "first_token_us": "INTEGER",
    "kind": "TEXT NOT NULL",
    "provider": "TEXT NOT NULL",
    "model": "TEXT NOT NULL",
    "response_id": "TEXT",
    "status": "INTEGER NOT NULL",
    "detail": "TEXT NOT NULL",
    "streamed": "INTEGER NOT NULL",
    "error": "TEXT",
    "session_id": "TEXT",
    "session_name": "TEXT",
    "session_path": "TEXT",
    "session_inferred": "INTEGER NOT NULL",
    "prompt_id": "TEXT",
    "user_id": "TEXT",
    "model_override": "TEXT",
    "replay_id": "TEXT",
    "replay_take": "INTEGER",
    "source_session_id": "TEXT",
    "source_call_id": "TEXT",
    "replay_arm": "TEXT",
    "input_tokens": "INTEGER",
    "output_tokens": "INTEGER",
    "cache_read_tokens": "INTEGER",
    "cache_write_tokens": "INTEGER",
    "input_audio_tokens": "INTEGER",
    "output_audio_tokens": "INTEGER",
    "reasoning_tokens": "INTEGER",
    "cost_nanodollars": "INTEGER",
    "request_body_bytes": "INTEGER NOT NULL",
    "response_body_bytes": "INTEGER NOT NULL",
    "unreadable": "TEXT",
    "feedback": "INTEGER",
    "handling": "TEXT",
    "told": "TEXT",
}
_SAME_FORM = " AND ".join(f"f.{name} IS c.{name}" for name in _OF_A_FORM)
# Rows are copied: a column that is only dropped leaves its room behind. As the triggers are made afterwards, sums stay.
_TENTH = f"""
-- What many calls have in common, kept once.
CREATE TABLE forms (
  form INTEGER PRIMARY KEY,
  url TEXT NOT NULL,
  target_url TEXT NOT NULL,
  method TEXT NOT NULL,
  dialect TEXT NOT NULL,
  ending TEXT NOT NULL,
  request_model TEXT,
  response_model TEXT,
  stop_reason TEXT
);
INSERT INTO forms ({", ".join(_OF_A_FORM)}) SELECT DISTINCT {", ".join(_OF_A_FORM)} FROM calls;
CREATE INDEX forms_by_url ON forms (url, request_model, response_model, stop_reason);

CREATE TABLE calls_of_forms (
  call INTEGER PRIMARY KEY,
  form INTEGER NOT NULL,
  {", ".join(f"{name} {holds}" for name, holds in _OF_A_CALL.items())},
  UNIQUE (organisation, id)
);
INSERT INTO calls_of_forms SELECT c.call, (SELECT f.form FROM forms f WHERE {_SAME_FORM}), {", ".join(_OF_A_CALL)}
FROM calls c ORDER BY c.call;
DROP TABLE calls;
ALTER TABLE calls_of_forms RENAME TO calls;
CREATE INDEX calls_by_time ON calls (organisation, created_us, duration_us);
CREATE INDEX calls_by_session ON calls (organisation, session_id, created_us) WHERE session_id IS NOT NULL;
CREATE INDEX calls_by_user ON calls (organisation, user_id, created_us) WHERE user_id IS NOT NULL;
CREATE INDEX calls_by_source ON calls (organisation, source_session_id) WHERE source_session_id IS NOT NULL;
-- Holds every call; only a question that names the condition is answered from it, and none is by accident.
CREATE INDEX calls_by_duration ON calls (organisation, duration_us, created_us) WHERE duration_us IS NOT NULL;
{_ROLL}

CREATE TABLE properties_of_calls (
  call INTEGER NOT NULL,
  key_lower TEXT NOT NULL,
  key TEXT, -- as it was written; NULL when that is `key_lower`
  value TEXT NOT NULL,
  edited INTEGER NOT NULL, -- 1: set through the API after the call was recorded, and kept when it is read again
  organisation INTEGER NOT NULL,
  created_us INTEGER NOT NULL, -- of the call
  PRIMARY KEY (call, key_lower)
) WITHOUT ROWID;
INSERT INTO properties_of_calls
SELECT call, key_lower, nullif(key, key_lower), value, edited, organisation, created_us
FROM properties ORDER BY call, key_lower;
DROP TABLE properties;
ALTER TABLE properties_of_calls RENAME TO properties;
CREATE INDEX properties_by_value ON properties (organisation, key_lower, value, created_us);
"""

MIGRATIONS: tuple[str, ...] = (
    _FIRST, _SECOND, _THIRD, _FOURTH, _FIFTH, _SIXTH, _SEVENTH, _EIGHTH, _NINTH, _TENTH,
)  # fmt: skip
"""In the order they are applied; `PRAGMA user_version` says how many have been."""
