"""The changes that are tried, as patches of a replay and as changes of the agent's own code."""

import json
from typing import Any

from reenact.dialects.registry import dialect_named
from reenact.domain.patch import Patch
from reenact.replay.editing import edited
from reenact.replay.patching import read_patch

Json = Any

PATCHES: dict[str, Json] = {
    "control": {},
    "system": {"changes": [{"edits": [{"edit": "append_system", "text": " Be a field expert."}]}]},
    "model": {
        "changes": [
            {"select": {"dialect": "openai_chat"}, "edits": [{"edit": "set_parameter", "name": "top_p", "value": 0.3}]}
        ]
    },
    "words": {
        "changes": [
            {"edits": [{"edit": "replace_text", "find": "What about", "replace": "Tell me of", "role": "user"}]}
        ]
    },
}


OTHER_FORMATS = {
    "Anthropic tools",
    "Responses tools",
    "server-held state",
    "cited passages",
    "tree of summaries",
    "titled chat",
    "experts",
    "refused values",
    "game narrator",
    "lesson plans",
    "invoice checks",
    "paper notes",
    "code review",
    "market research",
    "help pages",
    "intake interview",
    "bug fixer",
    "sales calls",
}
"""Shapes that ask in another format than OpenAI's chat: the parameter is set there."""


def body_patch(patch: Patch) -> Any:
    """Return the patch as an agent's own code would make it, on the bodies that it sends."""

    def change(kind: str, path: str, body: Json) -> Json:
        dialect = dialect_named(kind)
        assert dialect is not None
        prompt = dialect.read_prompt(body)
        for one in patch.changes:
            if one.select.dialect in (None, kind):
                for edit in one.edits:
                    if kind != "openai_embeddings" or edit.__class__.__name__ == "ReplaceText":
                        prompt = edited(prompt, edit)
        return dialect.write_prompt(prompt)

    return change


def fitting(data: Json, shape: str) -> Patch:
    """Return a patch that fits a shape: embeddings have no system prompt."""
    data = json.loads(json.dumps(data))
    if shape in ("retrieval, streamed", "batch of embeddings"):
        for change in data.get("changes", []):
            if change["edits"][0]["edit"] != "replace_text":
                change["select"] = {"dialect": "openai_chat"}
    if shape in OTHER_FORMATS:
        for change in data.get("changes", []):
            change.pop("select", None)
    return read_patch(data)
