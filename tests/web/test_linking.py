"""Addresses hold any id, and lead nowhere else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reenact.web import linking

IDS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)


@given(IDS)
def test_any_session_id_comes_back(session_id: str) -> None:
    """Slashes, question marks, dots and all."""
    href = linking.session_href(session_id)
    path, _, query = href.partition("?")

    if query:
        assert (session_id in {".", ".."}, path) == (True, "/sessions")
    else:
        assert linking.path_id(path.encode(), "/sessions/") == session_id


def test_addresses() -> None:
    """One of each."""
    assert [
        linking.session_href("a/b?c", start=5),
        linking.session_href(".."),
        linking.replay_form_href("a&b"),
        linking.call_href("x/y"),
        linking.replay_href("r"),
        linking.compare_href("a b", "c"),
        linking.list_href("/", q="", name="x", offset=0),
        linking.list_href("/calls"),
    ] == [
        "/sessions/a%2Fb%3Fc?start=5",
        "/sessions?id=..",
        "/replays?session=a%26b",
        "/calls/x%2Fy",
        "/replays/r",
        "/compare?left=a+b&right=c",
        "/?name=x",
        "/calls",
    ]


@pytest.mark.parametrize(
    "target", ["https://evil.example", "//evil.example", "/\\evil.example", "javascript:x", "/\n/evil", ""]
)
def test_a_login_leads_nowhere_else(target: str) -> None:
    """Only a path on this server."""
    assert linking.local_path(target) == "/"


def test_a_login_leads_back() -> None:
    """Where one came from."""
    assert linking.local_path("/compare?left=a&right=b") == "/compare?left=a&right=b"
