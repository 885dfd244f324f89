"""What a terminal shows, as plain text."""

from rich.console import Console, RenderableType


def shown(view: RenderableType, width: int = 120) -> str:
    """Return *view* as a terminal without colours shows it, ends of lines trimmed."""
    console = Console(width=width, highlight=False, color_system=None)
    with console.capture() as capture:
        console.print(view)
    return "\n".join(line.rstrip() for line in capture.get().splitlines())
