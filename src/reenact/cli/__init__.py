"""The commands: thin faces over the client library and the server."""

import typer

app = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode="markdown")


@app.callback()
def reenact() -> None:
    """Record LLM agent sessions, ask for them again, change something, run them again, see what it really did."""


def main() -> None:
    """Run the command line; every ReenactError becomes one line on stderr and a non-zero exit."""
    app()
