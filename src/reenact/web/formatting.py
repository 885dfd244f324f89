"""Numbers, times and recorded text as people read them; these are the filters of the templates."""

import math
import re
from collections.abc import Callable
from datetime import UTC, datetime

from markupsafe import Markup, escape

Writer = Callable[[int], str]
"""Writes a number for people."""

_HIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]"
)
"""Controls, bidirectional overrides and characters without width: what could make a page say what was not recorded."""


def visible(value: object) -> object:
    """Return text with its hidden characters written out; line ends and tabs stay, other values pass.

    Every value that a template prints goes through here (Jinja's `finalize`). The carriage return of a line end on
    Windows is dropped from what is shown.
    """
    if not isinstance(value, str) or isinstance(value, Markup):
        return value
    return _HIDDEN.sub(_written_out, value.replace("\r\n", "\n"))


def _written_out(found: re.Match[str]) -> str:
    code = ord(found[0])
    return chr(0x2400 + code) if code < 0x20 else f"⟨U+{code:04X}⟩"


def exact(value: str) -> Markup:
    """Return text escaped but otherwise untouched: for the values that a form sends back."""
    return escape(value)


def dollars(nanodollars: int | None) -> str:
    """Return an amount to three significant digits, to the cent at least; `unknown` when the price is not known."""
    if nanodollars is None:
        return "unknown"
    amount = abs(nanodollars) / 1e9
    sign = "\N{MINUS SIGN}" if nanodollars < 0 else ""
    decimals = 2 if amount == 0 or amount >= 1 else 2 - math.floor(math.log10(amount))
    cents, _, more = f"{amount:,.{decimals}f}".partition(".")
    return f"{sign}${cents}.{more[:2]}{more[2:].rstrip('0')}"


def duration(microseconds: int | None) -> str:
    """Return a duration in the unit that fits; an en dash when there is none."""
    if microseconds is None:
        return "\N{EN DASH}"
    sign, left = ("\N{MINUS SIGN}" if microseconds < 0 else ""), abs(microseconds)
    if left < 1000:
        return f"{sign}{left} µs"
    if left < 999_500:
        return f"{sign}{left / 1e3:.0f} ms"
    if left < 59_950_000:
        return f"{sign}{left / 1e6:.2f} s" if left < 9_995_000 else f"{sign}{left / 1e6:.1f} s"
    minutes, seconds = divmod(round(left / 1e6), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{sign}{hours} h {minutes} min" if hours else f"{sign}{minutes} min {seconds} s"


def count(number: int | None) -> str:
    """Return a number with its thousands apart; an en dash when there is none."""
    return "\N{EN DASH}" if number is None else f"{number:,}".replace("-", "\N{MINUS SIGN}")


def percent(change: int, whole: int) -> str:
    """Return *change* as a share of *whole*, with its sign; empty when there is none or it has no meaning."""
    if not change or whole <= 0:
        return ""
    return f"{100 * change / whole:+,.0f} %".replace("-", "\N{MINUS SIGN}")


def size(number: int) -> str:
    """Return bytes in the unit that fits, in powers of a thousand."""
    amount = float(number)
    for unit in ("bytes", "KB", "MB"):
        if amount < 1000:
            return f"{amount:,.0f} {unit}" if unit == "bytes" else f"{amount:.1f} {unit}"
        amount /= 1000
    return f"{amount:,.1f} GB"


def when(microseconds: int) -> str:
    """Return a moment to the second, UTC."""
    return _moment(microseconds).strftime("%Y-%m-%d %H:%M:%S")


def iso(microseconds: int) -> str:
    """Return a moment as the `datetime` attribute takes it."""
    return _moment(microseconds).isoformat(timespec="milliseconds")


def _moment(microseconds: int) -> datetime:
    """Return the moment; one that no calendar holds is shown as the epoch's end or beginning."""
    return datetime.fromtimestamp(min(max(microseconds / 1e6, 0), 253_402_300_799), UTC)


def words(name: str) -> str:
    """Return an identifier of our own, such as `provider_cut`, as words."""
    return name.replace("_", " ")
