"""Patterns of what is never written, out of the settings."""

import importlib
import importlib.util
import re
from collections.abc import Sequence

from reenact.errors import InvalidInput
from reenact.gateway.masking import Mask

_SETTING = "redact_patterns"
_ANCHORS = re.compile(r"\\[AzB]|(?<!\[)\^|\$")
"""What asks where a text begins or ends; taken for one too often, which costs time and nothing else."""


def read_mask(patterns: Sequence[str]) -> Mask | None:
    """Return what masks all matches of *patterns*; None when there are none.

    Raises:
        InvalidInput: one that RE2 does not know or that matches nothing at all; or RE2 is not installed.
    """
    if not patterns:
        return None
    if importlib.util.find_spec("re2") is None:
        raise InvalidInput("redact_patterns needs RE2: install reenact[redact].", _SETTING)
    re2 = importlib.import_module("re2")  # here alone: most installations have none
    options = re2.Options()
    options.log_errors = False
    for number, pattern in enumerate(patterns, 1):
        try:
            compiled = re2.compile(pattern.encode(), options)
        except re2.error as error:
            raise InvalidInput(
                f"Pattern {number} of redact_patterns is none that RE2 knows: {error}.", _SETTING
            ) from None
        if compiled.search(b"") is not None:
            raise InvalidInput(f"Pattern {number} of redact_patterns matches the empty text.", _SETTING)
    joined = "|".join(f"(?:{pattern})" for pattern in patterns)
    is_anchored = any(_ANCHORS.search(pattern) for pattern in patterns)
    return Mask(re2.compile(joined.encode(), options), is_anchored=is_anchored)
