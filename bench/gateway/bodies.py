"""What is asked: request bodies of a few sizes, always the same."""

import json

WORDS = (
    "token",
    "stream",
    "gateway",
    "record",
    "prompt",
    "context",
    "answer",
    "summarise",
    "document",
    "customer",
    "order",
)


def text(size: int) -> str:
    """Return about *size* characters of words."""
    words, length, number = [], 0, size
    while length < size:
        number = (number * 1103515245 + 12345) % 2**31
        words.append(WORDS[number % len(WORDS)])
        length += len(words[-1]) + 1
    return " ".join(words)


def bodies(models: dict[str, str]) -> dict[str, bytes]:
    """Return the request bodies by name, with the models under the names that this gateway knows."""
    small, paced = models.get("gpt-4o-mini", "gpt-4o-mini"), models.get("paced", "paced")
    system = {"role": "system", "content": "You are a helpful assistant."}
    short = [system, {"role": "user", "content": text(780)}]
    long = [system, *({"role": ("user", "assistant")[i % 2], "content": text(1500)} for i in range(13))]
    made = {
        "1k": {"model": small, "messages": short, "temperature": 0.2},
        "20k": {"model": small, "messages": long, "temperature": 0.2},
        "burst": {"model": small, "messages": short, "stream": True},
        "paced": {"model": paced, "messages": short, "stream": True},
    }
    return {name: json.dumps(body).encode() for name, body in made.items()}
