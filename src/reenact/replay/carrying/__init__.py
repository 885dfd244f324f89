"""Carry new answers to where the recorded ones stood: what every request of a session was made of, and making it anew.

`tape` defines what is read, `weaving` finds for each request where its pieces come from (`linking` the turns, `tracing` the
texts, with `valuing`, `spelling`, `weighing`, `neighbouring` and `repeating`; `steering` what may have decided). What is no
copy of an answer may be made of it: set line by line (`wrapping`), rewritten (`resembling`, `rewriting`), counted
(`measuring`), sorted (`ordering`), kept line by line under names (`keeping`); where the record does not show how, a request is
in doubt. `composing` makes the request of a take, `listing` and `entering` that of more items, `answering` finds tool results,
`departing` compares actions, `checking` says whether a provider takes a prompt.
Everything is pure.
"""
