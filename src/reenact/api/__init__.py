"""JSON for programs: Helicone's REST API, and ours beside it. One module per group of routes; `failing` maps errors."""
