"""Requests for the tests of matching, and decks of recorded ones."""

from typing import Any

import msgspec

from reenact.domain.labels import Labels
from reenact.domain.playback import Level, Matching
from reenact.replay.matching.assigning import Card, Deck, Match, Miss
from reenact.replay.matching.fingerprinting import Asked, fingerprint
from reenact.replay.matching.normalising import Normaliser

RULES = Normaliser(Matching())


def an_asked(*texts: str, **fields: Any) -> Asked:
    """Return a chat request with one user message for each text; `path`, `prompt_id` and `user_id` go to its labels."""
    labels = Labels(
        session_path=fields.pop("path", None),
        prompt_id=fields.pop("prompt_id", None),
        user_id=fields.pop("user_id", None),
        properties=fields.pop("properties", {}),
    )
    messages = fields.pop("messages", None) or [{"role": "user", "content": text} for text in texts]
    target = fields.pop("target", "/v1/chat/completions")
    body = fields.pop("body", None) or msgspec.json.encode({"model": "gpt-4o", "messages": messages, **fields})
    return Asked(method="POST", provider="openai", target=target, headers=(), body=body, labels=labels)


def a_card(index: int, asked: Asked, rules: Normaliser = RULES, hindrance: str = "") -> Card:
    """Return the recorded call at a position."""
    return Card(index=index, call_id=f"call-{index}", print=fingerprint(asked, rules), hindrance=hindrance)


def a_deck(*asked: Asked, rules: Normaliser = RULES) -> Deck:
    """Return a record of these requests, in this order."""
    return Deck([a_card(index, one, rules) for index, one in enumerate(asked, start=1)])


def drawn(deck: Deck, asked: Asked, rules: Normaliser = RULES) -> tuple[Level, int] | str:
    """Return level and position of what a request is given, or why it is given nothing."""
    found = deck.draw(fingerprint(asked, rules))
    if isinstance(found, Miss):
        return found.reason
    assert isinstance(found, Match)
    return found.level, found.card.index
