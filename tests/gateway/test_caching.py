"""What makes two calls the same to the cache, and what it keeps."""

import msgspec
import pytest

from reenact.domain.exchange import Chunk, Ending, Exchange, Header
from reenact.domain.labels import Labels
from reenact.gateway.ask import Ask
from reenact.gateway.caching import Entry, cache_key, to_entry, without_keys
from reenact.gateway.controls import CacheUse

USE = CacheUse(reads=True, saves=True, headers=((b"helicone-cache-enabled", b"true"),))
HEADERS: tuple[Header, ...] = ((b"authorization", b"Bearer k"), (b"x-trace", b"1"))
ASK = Ask(
    id="i1",
    organisation_id="o1",
    method="POST",
    url="http://gateway/v1/x",
    provider="openai",
    origin="https://api.openai.com",
    target=b"/v1/x",
    labels=Labels(),
    headers=HEADERS,
    body=b'{"a":1,"b":2}',
    started_us=0,
)
EXCHANGE = Exchange(
    id="i1",
    organisation_id="o1",
    started_us=0,
    duration_us=1,
    first_byte_us=1,
    method="POST",
    url="",
    target_url="",
    provider="openai",
    labels=Labels(),
    request_headers=(),
    request_body=b"",
    status=200,
    response_headers=((b"content-type", b"text/plain"), (b"set-cookie", b"REDACTED"), (b"x-key", b"REDACTED")),
    response_body=b"abcde",
    chunks=(Chunk(body_bytes=2, after_us=1), Chunk(body_bytes=3, after_us=2)),
    ending=Ending.ANSWERED,
)


@pytest.mark.parametrize(
    "change",
    [
        {"body": b'{"a":1,"b":3}'},
        {"body": b'{"a":1, "b":2}'},
        {"target": b"/v1/x?y"},
        {"origin": "https://other.example"},
        {"organisation_id": "o2"},
        {"method": "PUT"},
        {"headers": ((b"authorization", b"Bearer other"),)},
        {"received": ((b"helicone-auth", b"Bearer mine"),)},
        {"received": ((b"helicone-fallbacks", b"[]"),)},
    ],
)
def test_whatever_may_change_the_answer_changes_the_key(change: dict[str, object]) -> None:
    """One byte of the body, the key of the user, the place, the organisation."""
    assert cache_key(ASK, USE) != cache_key(msgspec.structs.replace(ASK, **change), USE)


@pytest.mark.parametrize(
    "change",
    [
        {"id": "i2", "started_us": 9},
        {"labels": Labels(session_id="s")},
        {"headers": ((b"x-trace", b"2"), (b"authorization", b"Bearer k"))},
    ],
)
def test_what_cannot_change_the_answer_does_not_change_the_key(change: dict[str, object]) -> None:
    """Ids, labels and headers that carry something else."""
    assert cache_key(ASK, USE) == cache_key(msgspec.structs.replace(ASK, **change), USE)


def test_seeds_and_cache_headers_change_the_key() -> None:
    """Another seed or another cache header is another key."""
    seeded = msgspec.structs.replace(USE, seed="s")
    sized = msgspec.structs.replace(USE, headers=(*USE.headers, (b"helicone-cache-bucket-max-size", b"2")))

    assert 3 == len({cache_key(ASK, use) for use in (USE, seeded, sized)})


def test_short_lived_tokens_do_not_part_equal_calls() -> None:
    """Google's access tokens change by the hour."""
    asks = [
        msgspec.structs.replace(ASK, headers=((b"authorization", b"Bearer ya29." + token),)) for token in (b"a", b"b")
    ]

    assert cache_key(asks[0], USE) == cache_key(asks[1], USE)


def test_ignored_keys_make_no_difference() -> None:
    """At the top level only, and not their order among themselves."""
    use = msgspec.structs.replace(USE, ignored_keys=("b", "z"))
    bodies = [b'{"a":1,"b":2}', b'{"a":1,"b":[3,{}]}', b'{"a":1,"z":null}', b'{"a":1}']

    assert 1 == len({cache_key(msgspec.structs.replace(ASK, body=body), use) for body in bodies})
    assert b'{"a":{"b":1.50}}' == without_keys(b'{"a":{"b":1.50},"b":2}', ("b",))
    assert b"no json \xff" == without_keys(b"no json \xff", ("b",))


def test_a_whole_answer_is_kept_in_its_pieces_without_secrets() -> None:
    """Cookies and whatever was redacted are left out."""
    expected = Entry(
        call_id="i1",
        expires_s=100.0 + 604_800,
        status=200,
        headers=((b"content-type", b"text/plain"),),
        chunks=(b"ab", b"cde"),
    )
    assert expected == to_entry(EXCHANGE, USE, 100.0)
    assert 5 == expected.body_bytes


@pytest.mark.parametrize(
    "change",
    [
        {"status": 429},
        {"status": 500},
        {"status": 304},
        {"ending": Ending.PROVIDER_CUT},
        {"ending": Ending.CLIENT_LEFT},
    ],
)
def test_nothing_else_is_kept(change: dict[str, object]) -> None:
    """Only status 2xx, only when it came to its end."""
    assert to_entry(msgspec.structs.replace(EXCHANGE, **change), USE, 0.0) is None
