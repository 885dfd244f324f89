"""What all printing shares: recorded text made harmless, tables, amounts, signs for what differs.

Recorded text is untrusted: it is never read as markup, and its control characters are written out. Differences are marked
with signs as well as colours, so that they can be read without colour.
"""

import sys
from collections.abc import Callable

import msgspec
from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from reenact.domain.message import Json
from reenact.web.formatting import count, dollars, visible

ROWS = 40
"""How many calls a table shows; the rest are counted, and shown by `--json`."""

_SHOWN = 200
"""How many characters of a changed text are shown."""

REMOVED, ADDED, CHANGED, QUIET, BAD = "red", "green", "yellow", "dim", "bold red"


def plain(value: object, style: str = "") -> Text:
    """Return *value* as text that is nothing but text."""
    return Text(str(visible(str(value))), style=style)


def removed(value: object) -> Text:
    """Return *value* marked as what stands in the first of two only."""
    return plain(f"[-{value}-]", REMOVED)


def added(value: object) -> Text:
    """Return *value* marked as what stands in the second of two only."""
    return plain(f"{{+{value}+}}", ADDED)


def show(*parts: RenderableType) -> None:
    """Print *parts* one below the other; as wide as it takes where the output is no terminal."""
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 200)
    for part in parts:
        console.print(part)


def show_json(value: object) -> None:
    """Print *value* as indented JSON, which every program reads: nothing else goes to standard output."""
    print(msgspec.json.format(msgspec.json.encode(value), indent=2).decode())


def table(*columns: str) -> Table:
    """Return a table with these heads; `>` before one sets its column to the right."""
    made = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        is_number = column.startswith(">")
        made.add_column(
            column.removeprefix(">"), justify="right" if is_number else "left", no_wrap=is_number, overflow="fold"
        )
    return made


def short(value: Json) -> str:
    """Return *value* as text or JSON, its end cut off when it is long."""
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}… ({count(len(text))} characters)"


def of(number: int, thing: str) -> str:
    """Return a number of things."""
    return f"{count(number)} {thing}{'' if number == 1 else 's'}"


def partly(nanodollars: int, unpriced: int) -> Text:
    """Return a sum of costs, with how many it leaves out since their price is not known."""
    text = Text(dollars(nanodollars))
    return text.append(f" + {unpriced} of unknown price", CHANGED) if unpriced else text


def signed(write: Callable[[int], str], difference: int) -> str:
    """Return a difference with its sign; nothing for none."""
    return "" if difference == 0 else f"{'+' if difference > 0 else ''}{write(difference)}"
