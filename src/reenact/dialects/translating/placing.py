"""Where the messages of a prompt stand in its body."""

from reenact.domain.message import Message, Prompt, Role

_FIELDS = {"openai_responses": "input", "gemini": "contents"}
_SYSTEMS = {"openai_responses": "instructions", "anthropic_messages": "system", "gemini": "systemInstruction"}


def places_of(prompt: Prompt) -> tuple[str, ...]:
    """Return the JSON Pointer to each message; to the system field for what stands there."""
    field = _FIELDS.get(prompt.dialect, "messages")
    is_text = isinstance(prompt.origin, dict) and isinstance(prompt.origin.get(field), str)
    places: list[str] = []
    count = 0
    for message in prompt.messages:
        if _is_apart(prompt.dialect, message):
            places.append(f"/{_SYSTEMS[prompt.dialect]}")
            continue
        places.append(f"/{field}" if is_text else f"/{field}/{count}")
        count += 1
    return tuple(places)


def _is_apart(dialect: str, message: Message) -> bool:
    """Return whether a message stands in a field of its own; a system message that was read from the turns stands there."""
    is_turn = dialect != "gemini" and isinstance(message.origin, dict)
    return dialect in _SYSTEMS and message.role is Role.SYSTEM and not is_turn
