"""Where calls are kept. The only packages that know SQL stand in here: `sqlite`, `clickhouse`, `control`.

`calls` is the protocol that both call stores fill, run against one conformance suite.
"""
