"""What changed between two sessions: `aligning` pairs their calls, `differing` finds the differences. Pure."""
