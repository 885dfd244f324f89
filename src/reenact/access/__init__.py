"""Who asks, and what they may do: organisations, keys of Helicone's shape, permissions. Decides; keeps nothing."""
