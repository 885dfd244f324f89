"""Say a prompt in another wire format: what it means stays, what the other format has no words for is told.

`turning` brings the messages into one form and checks that they can be said, `settings` is what parameters mean in no format's
own words, `reading` and `writing` are the formats' words for it, `remaining` finds what nobody understood, `stating` takes out
what only the recorded model accepts. `translation` puts them together. Four formats are known: OpenAI's chat completions and
Responses, Anthropic's Messages, Gemini's generateContent.
"""
