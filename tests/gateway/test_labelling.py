import pytest
from hypothesis import given
from hypothesis import strategies as st

from reenact.domain.exchange import Header
from reenact.domain.labels import Labels, ReplayLink
from reenact.gateway.labelling import Labelled, end_to_end, label, provider_authorization, value_of

OURS = "sk-helicone-aaaaaaa-bbbbbbb-ccccccc-ddddddd"
UUID = "7b2a3c4d-1111-4222-8333-444455556666"


@pytest.mark.parametrize(
    ("name", "labels"),
    [
        (b"helicone-session-id", Labels(session_id="v")),
        (b"helicone-session-name", Labels(session_name="v")),
        (b"helicone-session-path", Labels(session_path="v")),
        (b"helicone-prompt-id", Labels(prompt_id="v")),
        (b"helicone-user-id", Labels(user_id="v")),
        (b"helicone-model-override", Labels(model_override="v")),
        (b"helicone-property-my-app", Labels(properties={"my-app": "v"})),
        (b"helicone-property-", Labels()),
        (b"helicone-experiment-id", Labels(properties={"Helicone-Experiment-Id": "v"})),
        (b"helicone-cache-enabled", Labels(properties={"Helicone-Cache-Enabled": "v"})),
        (b"helicone-unheard-of", Labels()),
        (b"reenact-session-id", Labels(session_id="v")),
    ],
)
def test_each_header_of_ours_is_one_label_and_is_not_forwarded(name: bytes, labels: Labels) -> None:
    """Every name that begins with `helicone-` or `reenact-` is taken out; the known ones say something."""
    assert label([(b"a", b"1"), (name, b" v ")]) == Labelled(labels=labels, headers=((b"a", b"1"),))


@pytest.mark.parametrize("value", [b"", b"  ", b"undefined", b"null"])
def test_what_javascript_sends_for_nothing_is_nothing(value: bytes) -> None:
    """A header that was set from a missing value is absent, whatever it is for."""
    names = (b"session-id", b"session-path", b"prompt-id", b"user-id", b"property-app", b"auth", b"request-id")
    assert label([(b"helicone-" + name, value) for name in names]) == Labelled(labels=Labels(), headers=())


def test_the_first_of_repeated_headers_counts() -> None:
    """A header sent twice means what it said first."""
    assert label([(b"helicone-user-id", b"a"), (b"helicone-user-id", b"b")]).labels == Labels(user_id="a")


def test_values_that_are_no_utf8_are_read_as_latin1() -> None:
    """A label in another encoding is kept as well as it can be."""
    assert label([(b"helicone-user-id", b"J\xf6rg")]).labels == label([(b"helicone-user-id", "Jörg".encode())]).labels


def test_the_replay_link_is_given_and_never_read_from_headers() -> None:
    """An agent cannot claim to be a replay."""
    link = ReplayLink(replay_id="r", take=1, source_session_id="s", source_call_id="c")
    assert label([(b"reenact-replay-id", b"x")]).labels == Labels()
    assert label([], link).labels == Labels(replay=link)


@pytest.mark.parametrize(
    ("value", "request_id"),
    [
        (UUID, UUID),
        (UUID.upper(), UUID),
        ("7b2a3c4d-1111-7222-8333-444455556666", None),  # version 7
        ("7b2a3c4d-1111-0222-8333-444455556666", None),
        ("7b2a3c4d-1111-4222-c333-444455556666", None),  # not the RFC's variant
        ("7b2a3c4d111142228333444455556666", None),
        ("7b2a3c4d-1111-4222-8333-44445555666g", None),
        ("my-id", None),
    ],
)
def test_only_a_uuid_of_versions_one_to_five_is_a_request_id(value: str, request_id: str | None) -> None:
    """Any other id is ignored, as upstream does."""
    labelled = label([(b"helicone-request-id", value.encode())])

    assert request_id == labelled.request_id
    assert (request_id is None) == bool(labelled.notes)


@pytest.mark.parametrize(
    ("headers", "key", "forwarded"),
    [
        ([(b"helicone-auth", f"Bearer {OURS}".encode())], OURS, ()),
        ([(b"helicone-auth", b"bearer  opaque ")], "opaque", ()),
        ([(b"authorization", b"Bearer sk-1")], None, ((b"authorization", b"Bearer sk-1"),)),
        ([(b"authorization", f"Bearer sk-1, Bearer {OURS}".encode())], OURS, ((b"authorization", b"Bearer sk-1"),)),
        ([(b"authorization", b"Bearer sk-1,Bearer opaque")], "opaque", ((b"authorization", b"Bearer sk-1"),)),
        ([(b"authorization", f"Bearer {OURS}".encode())], OURS, ()),
        ([(b"authorization", b"Digest a=1, b=2")], None, ((b"authorization", b"Digest a=1, b=2"),)),
        ([(b"helicone-auth", b"Bearer a"), (b"authorization", f"Bearer {OURS}".encode())], "a", ()),
        ([(b"authorization", b"\xff\xfe")], None, ((b"authorization", b"\xff\xfe"),)),
    ],
)
def test_the_helicone_key_is_found_and_taken_out(
    headers: list[Header], key: str | None, forwarded: tuple[Header, ...]
) -> None:
    """`Helicone-Auth`, the combined form, or a bearer that looks like ours: none of them reaches a provider."""
    found = label(headers)
    assert (found.helicone_key, found.headers) == (key, forwarded)


def test_headers_of_one_connection_are_left_out() -> None:
    """Framing and whatever `Connection` names stay on their own connection; order and duplicates of the rest are kept."""
    headers = [
        (b"host", b"h"),
        (b"x-dup", b"1"),
        (b"connection", b"close, X-Hop"),
        (b"x-hop", b"1"),
        (b"transfer-encoding", b"chunked"),
        (b"content-length", b"5"),
        (b"te", b"trailers"),
        (b"upgrade", b"h2c"),
        (b"proxy-authorization", b"x"),
        (b"expect", b"100-continue"),
        (b"x-dup", b"2"),
    ]
    assert label(headers).headers == ((b"x-dup", b"1"), (b"x-dup", b"2"))
    assert end_to_end(headers) == ((b"x-dup", b"1"), (b"content-length", b"5"), (b"x-dup", b"2"))


def test_value_of_reads_the_first() -> None:
    """An absent header and one that says nothing are alike."""
    headers = [(b"a", b" 1 "), (b"a", b"2"), (b"b", b"null")]
    assert [value_of(headers, name) for name in (b"a", b"b", b"c")] == ["1", None, None]


@pytest.mark.parametrize(
    ("authorization", "expected"),
    [
        (f"Bearer {OURS}", None),
        ("Bearer sk-1", "Bearer sk-1"),
        ("Bearer sk-1, Bearer x", "Bearer sk-1"),
        ("Basic abc", "Basic abc"),
        ("", ""),
    ],
)
def test_what_is_for_the_provider_is_told_from_our_key(authorization: str, expected: str | None) -> None:
    """Our key alone leaves nothing for a provider."""
    assert provider_authorization(authorization) == expected


NAMES = st.sampled_from(
    [
        b"helicone-auth",
        b"helicone-request-id",
        b"helicone-property-\xff",
        b"helicone-",
        b"authorization",
        b"connection",
        b"x",
    ]
)


@given(st.lists(st.tuples(NAMES, st.binary(max_size=40))))
def test_no_header_whatever_raises_or_slips_through(headers: list[Header]) -> None:
    """Malformed headers are absent ones, and none of ours is ever forwarded."""
    assert [name for name, _ in label(headers).headers if name.startswith(b"helicone-")] == []
