"""Reenact: record LLM agent sessions, ask for them again, change something, run them again, see what it really did."""

__version__ = "0.1.0"
