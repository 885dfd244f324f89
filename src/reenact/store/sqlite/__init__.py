"""The embedded call store: SQLite in WAL mode, session-scoped content-addressed parts, zstd, FTS5."""
