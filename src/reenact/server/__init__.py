"""The composition root: settings to parts to one ASGI app in one process on one port."""
