"""Play a recorded session: an agent runs, or nobody, and its requests are answered from the record.

`planning` says what is served and what is asked for real, `shuffling` makes of a record the cards that are given out,
`deciding` decides what becomes of one request, `overriding` patches one that is asked for real, `missing` words a refusal.
`opentake` is a take under way, `stager` answers its calls inside the gateway, `player` makes the recorded requests again.
"""
