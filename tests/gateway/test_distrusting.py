import pytest

from reenact.domain.exchange import Header
from reenact.gateway.distrusting import is_from_a_strange_page

HOST = (b"host", b"localhost:8585")
REBOUND = (b"host", b"evil.test:8585")


@pytest.mark.parametrize(
    ("headers", "is_strange"),
    [
        ([HOST], False),
        ([REBOUND], False),  # a program may call this machine what it likes
        ([HOST, (b"origin", b"http://localhost:3000")], False),
        ([HOST, (b"origin", b"http://127.0.0.1:3000")], False),
        ([HOST, (b"origin", b"http://[::1]:3000")], False),
        ([HOST, (b"sec-fetch-site", b"same-origin")], False),
        ([HOST, (b"origin", b"https://evil.test")], True),
        ([HOST, (b"origin", b"http://localhost.evil.test")], True),
        ([HOST, (b"origin", b"null")], True),
        ([HOST, (b"origin", b"http://[")], True),
        ([REBOUND, (b"sec-fetch-site", b"same-origin")], True),
        ([(b"sec-fetch-site", b"none")], True),
    ],
)
def test_only_pages_of_this_machine_are_trusted(headers: list[Header], is_strange: bool) -> None:
    """A page of another site, and one whose name was re-bound to this machine, is told from programs and local pages."""
    assert is_from_a_strange_page(headers) == is_strange
