"""`python -m reenact` is the `reenact` command."""

from reenact.cli import main

main()
