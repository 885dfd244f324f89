"""The life of recorded data: read anew, taken out and in, copied, removed, kept for a time."""
