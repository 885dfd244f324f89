"""What only the model that thought it accepts is taken out for others, in every format, and told."""

import pytest

from reenact.dialects.registry import dialect_named
from reenact.dialects.translating.stating import without_state
from reenact.domain.message import Json, Lost

WHY = "only the model that thought it can read it"
ANTHROPIC = [
    {"role": "user", "content": "Hi."},
    {
        "role": "assistant",
        "content": [
            {"type": "thinking", "thinking": "Hm.", "signature": "s1"},
            {"type": "redacted_thinking", "data": "s2"},
            {"type": "text", "text": "Yes."},
        ],
    },
]
RESPONSES = [
    {"role": "user", "content": "Hi."},
    {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "s1"},
    {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Yes."}]},
]
GEMINI = [
    {"role": "user", "parts": [{"text": "Hi."}]},
    {
        "role": "model",
        "parts": [
            {"text": "Yes.", "thoughtSignature": "s1"},
            {"functionCall": {"name": "f", "args": {}}, "thought_signature": "s2"},
        ],
    },
]
BARE = {
    "anthropic_messages": [ANTHROPIC[0], {"role": "assistant", "content": [{"type": "text", "text": "Yes."}]}],
    "openai_responses": [RESPONSES[0], RESPONSES[2]],
    "gemini": [
        GEMINI[0],
        {"role": "model", "parts": [{"text": "Yes."}, {"functionCall": {"name": "f", "args": {}}}]},
    ],
}


@pytest.mark.parametrize(
    ("dialect", "field", "history"),
    [
        ("anthropic_messages", "messages", ANTHROPIC),
        ("openai_responses", "input", RESPONSES),
        ("gemini", "contents", GEMINI),
    ],
)
def test_state_of_other_models_is_taken_out_and_told(dialect: str, field: str, history: list[Json]) -> None:
    """The words around it stay, and state of the model's own stays."""
    found = dialect_named(dialect)
    assert found is not None
    prompt = found.read_prompt({field: history})

    bare = without_state(prompt, own=())
    assert {field: BARE[dialect]} == found.write_prompt(bare)
    assert (Lost(f"/{field}/1", WHY),) == bare.lost
    assert without_state(prompt, own={"s1", "s2"}) is prompt
    assert without_state(prompt, foreign={"s3"}) is prompt
    assert bare == without_state(prompt, foreign={"s1", "s2"})
