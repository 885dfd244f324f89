"""Control data through SQLAlchemy: organisations, keys, replays. SQLite by default."""
