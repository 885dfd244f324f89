"""Binding: SQL text beside the values that the server puts into its placeholders; nothing a user gave is ever text."""

from typing import Any


class Binder:
    """Names values as they are met. One for each statement."""

    def __init__(self, **values: Any) -> None:
        self.values: dict[str, Any] = dict(values)
        """By the name of their placeholder."""

    def text(self, value: str) -> str:
        """Return the placeholder of a text."""
        return self._named(value, "String")

    def texts(self, values: list[str]) -> str:
        """Return the placeholder of texts."""
        return self._named(values, "Array(String)")

    def integer(self, value: int) -> str:
        """Return the placeholder of a whole number."""
        return self._named(value, "Int64")

    def integers(self, values: list[int]) -> str:
        """Return the placeholder of whole numbers."""
        return self._named(values, "Array(Int64)")

    def number(self, value: float) -> str:
        """Return the placeholder of a number; a whole one is bound as such, so that it is compared with keys exactly."""
        if value == value // 1 and abs(value) < 2**63:
            return self._named(int(value), "Int64")
        return self._named(value, "Float64")

    def _named(self, value: Any, kind: str) -> str:
        name = f"v{len(self.values)}"
        self.values[name] = value
        return f"{{{name}:{kind}}}"
