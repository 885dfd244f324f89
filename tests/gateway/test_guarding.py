"""Which addresses an agent may name."""

import pytest

from reenact.errors import InvalidInput
from reenact.gateway.guarding import Guard, read_address


@pytest.mark.parametrize(
    "url",
    [
        "https://api.openai.com",
        "https://api.openai.com:8443/v1",
        "https://8.8.8.8",
        "https://[2606:4700:4700::1111]",
        "https://localhost.example.com",
        "https://1234.example",
    ],
)
def test_the_public_internet_may_be_called_by_https(url: str) -> None:
    """Names and addresses alike."""
    assert Guard().objection(url) is None


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0x7f.1",
        "0177.0.0.1",
        "017700000001",
        "0.0.0.0",
        "0",
        "10.0.0.1",
        "172.16.0.1",
        "192.168.1.1",
        "192.168.257",
        "100.64.0.1",
        "169.254.169.254",
        "2852039166",
        "0xa9fea9fe",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "999.1.1.1",
        "1.2.3.4.",
        "[::1]",
        "[::]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[::127.0.0.1]",
        "[64:ff9b::7f00:1]",
        "[64:ff9b:1::7f00:1]",
        "[2002:7f00:1::]",
        "[fe80::1]",
        "[fe80::1%25eth0]",
        "[fc00::1]",
        "[fd00:ec2::254]",
        "[ff02::1]",
        "localhost",
        "LOCALHOST.",
        "x.localhost",
        "printer.local",
        "metadata.google.internal",
        "router.home.arpa",
    ],
)
def test_nothing_inside_a_network_may_be_called(host: str) -> None:
    """Loopback, private, link-local, metadata, carrier-grade, multicast and reserved ones, however they are written."""
    if host == "1.2.3.4.":
        assert Guard().objection(f"https://{host}") is None  # a public address with the dot of the root
    else:
        assert Guard().objection(f"https://{host}/v1") is not None


@pytest.mark.parametrize(
    "url",
    ["http://api.openai.com", "ftp://a.example", "//a.example", "a.example", "https://", "https://a:x", "javascript:1"],
)
def test_only_https_urls_may_be_called(url: str) -> None:
    """The sentence says what to do."""
    assert Guard().objection(url) is not None


@pytest.mark.parametrize(
    ("allowed", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:9000"),
        ("127.0.0.0/8", "http://0x7f000001"),
        ("10.0.0.0/8", "https://[::ffff:10.1.2.3]"),
        ("fd00::/8", "http://[fd00::5]"),
        ("localhost", "http://LOCALHOST:11434"),
        ("localhost:11434", "http://localhost:11434"),
        ("[::1]:80", "http://[::1]"),
        ("*", "http://169.254.169.254"),
    ],
)
def test_a_servers_owner_can_allow_more(allowed: str, url: str) -> None:
    """Hosts, hosts with ports, addresses, networks, or everything; plain http with them."""
    assert Guard([allowed]).objection(url) is None


@pytest.mark.parametrize(
    ("allowed", "url"),
    [
        ("localhost:11434", "http://localhost:80"),
        ("10.0.0.0/8", "http://11.0.0.1"),
        ("10.0.0.0/8", "https://127.0.0.1"),
    ],
)
def test_an_exception_opens_no_more_than_it_says(allowed: str, url: str) -> None:
    """Another port, another network: still refused."""
    assert Guard([allowed]).objection(url) is not None


def test_a_name_is_judged_by_what_it_resolves_to() -> None:
    """A public name that leads inside is caught when it is resolved; an allowed name may lead anywhere."""
    guard = Guard(["ollama.example:443", "192.168.7.0/24"])

    assert guard.permits("a.example", 443, "93.184.216.34")
    assert not guard.permits("a.example", 443, "127.0.0.1")
    assert not guard.permits("a.example", 443, "fe80::1%eth0")
    assert not guard.permits("a.example", 443, "::ffff:169.254.169.254")
    assert guard.permits("a.example", 443, "192.168.7.9")
    assert guard.permits("Ollama.example.", 443, "127.0.0.1")
    assert not guard.permits("ollama.example", 80, "127.0.0.1")


@pytest.mark.parametrize("exception", ["", "http://a.example", "a b", "10.0.0.0/99", "host:port"])
def test_an_exception_that_is_none_is_told(exception: str) -> None:
    """A typing error in a setting must not open or close anything silently."""
    with pytest.raises(InvalidInput, match="could be allowed by"):
        Guard([exception])


def test_names_are_no_addresses() -> None:
    """What has a letter that is no hexadecimal digit is resolved by name."""
    assert [None, None, None] == [read_address(name) for name in ("a.example", "1.2.3.4.5", "0xg")]
