"""The Python client: values and one HTTP client, nothing of the server."""
