"""Where things are: the address of every page, safe for any recorded id."""

from urllib.parse import quote, unquote, urlencode

_DOTS = {".": "%2E", "..": "%2E%2E"}


def session_href(session_id: str, **query: str | int) -> str:
    """Return the address of a session's page.

    Browsers take a path of dots as a way up, even percent-encoded, so such an id goes into the query.
    """
    if session_id in _DOTS or not session_id:
        return _with_query("/sessions", {"id": session_id, **query})
    return _with_query(f"/sessions/{_quoted(session_id)}", query)


def replay_form_href(session_id: str) -> str:
    """Return the address that plans and starts a replay of a session."""
    return _with_query("/replays", {"session": session_id})


def call_href(call_id: str) -> str:
    """Return the address of a call's page."""
    return f"/calls/{_quoted(call_id)}"


def asset_href(call_id: str, asset_id: str) -> str:
    """Return the address of an image of a call."""
    return f"{call_href(call_id)}/assets/{_quoted(asset_id)}"


def replay_href(replay_id: str) -> str:
    """Return the address of a replay's page."""
    return f"/replays/{_quoted(replay_id)}"


def compare_href(left: str, right: str, **query: str | int) -> str:
    """Return the address of a comparison of two sessions."""
    return _with_query("/compare", {"left": left, "right": right, **query})


def list_href(path: str, **query: str | int) -> str:
    """Return the address of a list with its search and page; empty values are left out."""
    return _with_query(path, {name: value for name, value in query.items() if value not in {"", 0}})


def _with_query(path: str, query: dict[str, str | int]) -> str:
    return f"{path}?{urlencode(query, errors='replace')}" if query else path


def _quoted(name: str) -> str:
    return quote(name, safe="", errors="replace")


def local_path(target: str) -> str:
    """Return *target* when it is a path on this server, else the front page: a login must not lead elsewhere."""
    if not target.startswith("/") or target.startswith("//") or "\\" in target or any(c < " " for c in target):
        return "/"
    return target


def path_id(raw_path: bytes, prefix: str) -> str:
    """Return the id behind *prefix* in a request's path, slashes and all; empty when there is none."""
    return unquote(raw_path.decode("latin-1").partition(prefix)[2], errors="replace")
