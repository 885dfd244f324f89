"""Named prompt templates and their versions."""
