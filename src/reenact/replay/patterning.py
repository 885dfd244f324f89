"""Find and replace what a pattern matches, in time that is linear in the text, whoever wrote the pattern.

Patterns are RE2's. Python's own engine can be made to take for ever by a pattern of twenty characters, and cannot be stopped:
it holds the whole process. RE2 has no look-around and no back-references for that reason.
"""

import importlib
import importlib.util
import re
from functools import lru_cache
from typing import Any

from reenact.errors import InvalidPatch

_MOST_ADDED = 64 * 1024 * 1024
"""Characters that one replacing may add: a short text can be made to grow a millionfold."""
_GROUP = re.compile(r"\\(\d)")


def matches(pattern: str, text: str) -> bool:
    """Return whether *pattern* matches somewhere in *text*.

    Raises:
        InvalidPatch: it is none that RE2 knows, or RE2 is not installed; `field` is `matches`.
    """
    return compiled(pattern, "matches").search(text) is not None


def with_matches_replaced(text: str, pattern: str, replacement: str) -> str:
    r"""Return *text* with whatever *pattern* matches replaced; `\0` to `\9` in *replacement* are what its groups matched.

    Raises:
        InvalidPatch: it is none that RE2 knows, a group is named that it has not, the text would grow beyond all bounds, or RE2
            is not installed; `field` is the part that is wrong.
    """
    found = compiled(pattern, "find")
    named = max((int(group) for group in _GROUP.findall(replacement)), default=0)
    if named > found.groups:
        raise InvalidPatch(f"The pattern has {found.groups} groups; there is no \\{named}.", "replace")
    pieces: list[str] = []
    end = added = 0
    for match in found.finditer(text):
        said = _GROUP.sub(lambda group, match=match: match.group(int(group[1])) or "", replacement)  # type: ignore[misc]
        pieces += (text[end : match.start()], said)
        end, added = match.end(), added + len(said)
        must_fit(added)
    return "".join((*pieces, text[end:]))


def must_fit(added: int) -> None:
    """Make sure that a text does not grow beyond all bounds.

    Raises:
        InvalidPatch: so many characters more are too many.
    """
    if added > _MOST_ADDED:
        raise InvalidPatch(f"The text would grow by more than {_MOST_ADDED:,} characters.", "replace")


@lru_cache(maxsize=64)
def compiled(pattern: str, field: str) -> Any:
    """Return *pattern* as RE2 has it; *field* is where it stands.

    Raises:
        InvalidPatch: RE2 does not know it, or is not installed.
    """
    if importlib.util.find_spec("re2") is None:
        raise InvalidPatch("Patterns need RE2 on the server: install reenact[redact].", field)
    re2 = importlib.import_module("re2")  # here alone: most installations have none
    options = re2.Options()
    options.log_errors = False
    try:
        return re2.compile(pattern, options)
    except re2.error as error:
        raise InvalidPatch(f"The pattern is none that RE2 knows: {error}.", field) from None
