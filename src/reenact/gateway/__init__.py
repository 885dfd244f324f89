"""Relay one call and record it: the hot path. A bare ASGI app that never imports the store.

`labelling` reads headers, `routing` finds the provider, `relay` asks an AnswerSource and hands each chunk to the agent first
and to the `tap` second, `redacting` removes secrets before the `spool` is given the exchange. Calls whose headers ask for more
(`controls`) are opened by the `controller`: cache, rate limit, checks, and the `forwarder` with its retries and fallbacks.
"""
