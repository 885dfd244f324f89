"""The durable journal between gateway and store: append-only segments of checksummed records.

`writer` appends, `reader` hands out, `framing` knows how a record lies in a `segment`.
"""
