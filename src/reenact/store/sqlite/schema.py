"""The tables of the SQLite store, as numbered migrations: the n-th script leads from version n - 1 to version n.

Names: `organisation`, `session` and `call` are small numbers given by this database; ids as the world knows them stand in
`organisations.id`, `sessions.session_id` and `calls.id`. Every index begins with the organisation.
"""

PARTS = 2**31
"""More than a session can have."""

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

MIGRATIONS: tuple[str, ...] = (_FIRST, _SECOND, _THIRD, _FOURTH, _FIFTH)
"""In the order they are applied; `PRAGMA user_version` says how many have been."""
