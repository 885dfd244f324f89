"""Who is let in, by the head of a request alone."""

import base64

import pytest

from reenact.api.admitting import asks_no_key, is_bearer, is_from_elsewhere, is_loopback, is_own_host, key_of
from reenact.errors import Unauthenticated


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", True), ("127.1.2.3", True), ("::1", True), ("[::1]", True), ("localhost", True), ("a.localhost", True),
        ("0.0.0.0", False), ("10.0.0.1", False), ("evil.example", False), ("", False), ("localhost.evil.example", False),
    ],
)  # fmt: skip
def test_loopback(host: str, expected: bool) -> None:
    """Only names and addresses of this machine itself are loopback."""
    assert expected == is_loopback(host)


@pytest.mark.parametrize(
    ("bound", "public", "require", "expected"),
    [
        ("127.0.0.1", "", False, True),
        ("127.0.0.1", "http://localhost:80", False, True),
        ("127.0.0.1", "", True, False),
        ("0.0.0.0", "", False, False),
        ("127.0.0.1", "https://reenact.example", False, False),
    ],
)
def test_a_key_is_needed_wherever_others_could_reach(bound: str, public: str, require: bool, expected: bool) -> None:
    """Off loopback, or behind a public address, a server never lets anyone in without a key."""
    assert expected == asks_no_key(bound, public, require_key=require)


@pytest.mark.parametrize(
    ("host", "public", "expected"),
    [
        ("127.0.0.1:8585", "", True), ("localhost:8585", "", True), ("[::1]:8585", "", True),
        ("evil.example:8585", "", False), ("", "", False), ("[", "", False),
        ("reenact.example", "https://reenact.example", True), ("Reenact.Example", "https://reenact.example", True),
        ("evil.example", "https://reenact.example", False),
    ],
)  # fmt: skip
def test_own_hosts(host: str, public: str, expected: bool) -> None:
    """A rebound DNS name is not this server's."""
    assert expected == is_own_host(host, public)


@pytest.mark.parametrize(
    ("method", "origin", "site", "expected"),
    [
        ("GET", "https://evil.example", "cross-site", False),
        ("POST", None, None, False),
        ("POST", "http://127.0.0.1:8585", "same-origin", False),
        ("POST", "http://127.0.0.1:8585", None, False),
        ("POST", "https://reenact.example", None, False),
        ("POST", None, "none", False),
        ("POST", "https://evil.example", None, True),
        ("POST", "null", None, True),
        ("POST", "http://127.0.0.1:9999", None, True),
        ("POST", None, "cross-site", True),
        ("DELETE", None, "same-site", True),
    ],
)
def test_pages_of_other_sites_change_nothing(method: str, origin: str | None, site: str | None, expected: bool) -> None:
    """Programs send neither header; browsers tell where the page is from."""
    assert expected == is_from_elsewhere(method, "127.0.0.1:8585", origin, site, "https://reenact.example")


def basic(text: str) -> str:
    """Return Basic credentials."""
    return "Basic " + base64.b64encode(text.encode()).decode()


KEY = "sk-helicone-aaaaaaa-bbbbbbb-ccccccc-ddddddd"


@pytest.mark.parametrize(
    ("authorization", "helicone", "key", "bearer"),
    [
        (None, None, None, False),
        (f"Bearer {KEY}", None, KEY, True),
        (f"Bearer provider, Bearer {KEY}", None, KEY, True),
        ("Bearer provider", "Bearer k", "k", True),
        ("Bearer other", None, "other", True),
        (basic(f"anyone:{KEY}"), None, KEY, False),
        (basic("no colon"), None, None, False),
        ("Basic ???", None, None, False),
        (KEY, None, None, False),
    ],
)
def test_keys(authorization: str | None, helicone: str | None, key: str | None, bearer: bool) -> None:
    """A key comes as a bearer token, Helicone's header first, or as a browser's password."""
    assert (key, bearer) == (key_of(authorization, helicone), is_bearer(authorization, helicone))


def test_a_malformed_key_is_told() -> None:
    """Helicone-Auth without `Bearer` is refused, as at Helicone."""
    with pytest.raises(Unauthenticated, match="not well formed"):
        key_of(None, KEY)
