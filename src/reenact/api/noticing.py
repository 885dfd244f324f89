"""Noticing: what a client sent that this server does not read. It is let pass, since Helicone's clients differ, but told."""

import msgspec

from reenact.domain.message import Json

_TOLD = 10
"""How many names are told at once; a body can hold any number."""


def unknown_keys(raw: Json, kind: type[msgspec.Struct]) -> list[str]:
    """Return the first few top-level keys of *raw* that *kind* has no field for, in a form that is safe to log."""
    if not isinstance(raw, dict):
        return []
    known = {field.encode_name for field in msgspec.structs.fields(kind)}
    return [repr(name[:100]) for name in raw if name not in known][:_TOLD]
