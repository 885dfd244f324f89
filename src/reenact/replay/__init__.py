"""Run a recorded session again.

`patching` edits prompts, `planning` says what will happen, `performing` decides call by call, `runner` drives it through
the gateway's own relay.
"""
