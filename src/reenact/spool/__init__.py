"""The durable journal between gateway and store: append-only segments of checksummed records."""
