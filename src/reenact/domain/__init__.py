"""The ground: frozen values that say what was recorded, what it means, and what is to be changed in it.

No I/O, no clock, no randomness: identity and time are given to values by whoever acts. Units are in names.
"""
