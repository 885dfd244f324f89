"""The call store for scale: ClickHouse, one node or a cluster, and the same engine embedded as chDB."""
