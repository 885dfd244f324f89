"""The scripted provider: a model that is none, for demonstrations, tests and trying Reenact without a key.

Its answer is a pure function of the request: the same request always gives the same bytes, a changed word gives another answer.
The history that a request only names as a conversation (OpenAI's `/conversations`) counts as a part of it.
It follows instructions in ways that can be seen (persona, length, language), calls tools, keeps to JSON schemas, and fails on
demand. `app` serves it, `answering` decides what it says, `script` and `fault` say what it was told to do.
"""
