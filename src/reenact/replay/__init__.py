"""Run a recorded session again.

`request` is what one asks for, `service` what API, pages and commands call. `patching` reads patches and `editing` makes
their edits, `planning` says what will happen and what it costs, `performing` decides call by call, `runner` drives it (a
`run` is one replay under way) and `asker` sends each `question` through the gateway's own relay.
"""
