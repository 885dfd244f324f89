"""What is large is lifted out of bodies and put back byte for byte."""

import base64
import json

from hypothesis import given
from hypothesis import strategies as st

from reenact.domain.digesting import digest
from reenact.store.lifting import REQUEST, Lift, lift_strings, lift_whole, put_back
from reenact.store.splitting import split

LEAST = 256

content = st.one_of(
    st.binary(min_size=0, max_size=900),
    st.integers(180, 2000).map(bytes),
)
inline = content.map(lambda one: base64.b64encode(one).decode())
value = st.recursive(
    st.one_of(st.text(max_size=400), inline, inline.map("data:image/png;base64,{}".format), st.integers()),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=9), inner, max_size=4)),
    max_leaves=12,
)
body = st.one_of(
    st.dictionaries(st.text(max_size=9), value, max_size=6).map(lambda one: json.dumps(one).encode()),
    st.lists(st.one_of(st.binary(max_size=300), inline.map(str.encode), st.sampled_from([b'"', b",", b"="])), max_size=12)
    .map(b"".join),
)  # fmt: skip


@given(body)
def test_what_is_lifted_comes_back(whole: bytes) -> None:
    """Whatever stands in the body, and whether what is left of it is lifted too."""
    lifted = lift_strings(whole, REQUEST, LEAST)
    for one in (lifted, lift_whole(lifted, REQUEST, LEAST)):
        contents = dict(zip((lift.key for lift in one.lifts), one.contents, strict=True))
        assert whole == put_back(one.rest, REQUEST, one.lifts, contents)


@given(body)
def test_what_is_left_of_json_is_json(whole: bytes) -> None:
    """With strings where strings were."""
    rest = lift_strings(whole, REQUEST, LEAST).rest
    if _is_json(whole):
        assert _is_json(rest)


def _is_json(content: bytes) -> bool:
    try:
        json.loads(content)
    except ValueError:
        return False
    return True


@given(st.text(max_size=300), st.text(min_size=LEAST, max_size=3 * LEAST), st.text(max_size=300))
def test_no_long_string_is_overlooked(before: str, long: str, after: str) -> None:
    """Escaped quotes and backslashes in it or not; what is left is JSON with a short string in its place."""
    whole = json.dumps({"a": before, "b": "x" + long, "c": after}).encode()
    lifted = lift_strings(whole, REQUEST, LEAST)
    left = json.loads(lifted.rest)
    assert ("0", json.dumps("x" + long)[1:-1].encode()) == (left["b"], lifted.contents["0" == left["a"]])


@given(st.integers(0, 40), st.binary(min_size=LEAST, max_size=4 * LEAST), st.integers(0, 250))
def test_no_medium_is_overlooked(before: int, raw: bytes, after: int) -> None:
    """Wherever in the body it stands: a string of base64 that is long enough is lifted, and JSON is left."""
    whole = json.dumps(
        {"a": "é" * before, "b": "data:image/gif;base64," + base64.b64encode(raw).decode(), "c": " " * after}
    )
    lifted = lift_strings(whole.encode(), REQUEST, LEAST)
    assert [(digest(raw), len(raw))] == [(one.name, one.piece_bytes) for one in lifted.lifts]
    assert "data:image/gif;base64,0" == json.loads(lifted.rest)["b"]


def test_equal_messages_with_other_pictures_leave_equal_parts() -> None:
    """What is left of a body is JSON, cut as any other."""
    texts = [base64.b64encode(bytes([seed]) * 600).decode() for seed in (1, 2)]
    bodies = [
        json.dumps({"messages": [{"role": "user", "content": "x" * 99, "image": text}]}).encode() for text in texts
    ]
    first, second = (lift_strings(one, REQUEST, LEAST) for one in bodies)
    assert split(first.rest).parts == split(second.rest).parts
    assert first.lifts != second.lifts


def test_what_would_not_be_written_the_same_again_is_text() -> None:
    """Other ways to write base64."""
    text = base64.b64encode(b"\0" * 601).decode()
    for odd in (text[:-3] + "B==", text.replace("AAAA", "AAA-", 1), text + "\\n", text[:-1]):
        [lift] = lift_strings(b'{"data": "' + odd.encode() + b'"}', REQUEST, LEAST).lifts
        assert (digest(odd.encode()), "") == (lift.name, lift.media_type)


def test_a_marker_stands_for_what_is_lost() -> None:
    """In a string as text, elsewhere as a string: what is left stays JSON."""
    gone = Lift(REQUEST, 6, b"\1", 9, "image/png")
    assert {"a": "reenact: the object 01 cannot be read"} == json.loads(put_back(b'{"a":"0"}', REQUEST, [gone], {}))
    whole = Lift(REQUEST, 0, b"\2", 9, is_whole=True)
    assert "reenact: the object 02.zst cannot be read" == json.loads(put_back(b"0", REQUEST, [whole], {}))
