"""Match requests to recorded calls by what they say, never by the order in which they come.

`normalising` leaves out of a body what may drift from run to run, `fingerprinting` makes of a request what is compared,
`assigning` gives each request the recorded call it stands for, and `nearing` says what came nearest and where it differs.
"""
