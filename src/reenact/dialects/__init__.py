"""Wire formats: provider bytes to domain values and back, with no I/O.

A dialect reads prompts and answers, writes prompts (`write(read(body)) == body` as JSON, unknown fields and all), and merges
the events of a stream into one answer body. `registry` finds the dialect of an exchange. Server-sent events are cut by
`framing`.
"""
