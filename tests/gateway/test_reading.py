"""What is read of a head, once for all requests that have it."""

from reenact.domain.labels import Labels
from reenact.gateway.addressing import TakeName
from reenact.gateway.reading import HeadReading, read
from reenact.gateway.redacting import MARK
from reenact.gateway.routing import NOT_OURS, Routes
from reenact.gateway.scope import Scope

ROUTES = Routes({"openai": "http://127.0.0.1:9000"})
CALL_ID = "11111111-1111-4111-8111-111111111111"


def scope(path: bytes, *headers: tuple[bytes, bytes]) -> Scope:
    """Return a POST's scope."""
    return {"method": "POST", "scheme": "http", "raw_path": path, "query_string": b"", "headers": [*headers]}


def test_a_call_is_read_whole() -> None:
    """Where it goes, what it is labelled, what is forwarded, what is recorded."""
    length = (b"content-length", b"2")
    headers = (
        (b"host", b"here"), (b"authorization", b"Bearer k"), length, (b"helicone-session-id", b"s"),
        (b"helicone-request-id", CALL_ID.encode()), (b"content-type", b"Image/png"),
    )  # fmt: skip
    reading = read(scope(b"/v1/gateway/oai/v1/chat/completions", *headers), ROUTES)
    assert isinstance(reading, HeadReading)
    assert (reading.target.origin, reading.target.target) == ("http://127.0.0.1:9000", b"/v1/chat/completions")
    assert (reading.url, reading.method) == ("http://here/v1/gateway/oai/v1/chat/completions", "POST")
    assert (reading.labels, reading.request_id, reading.is_upload) == (Labels(session_id="s"), CALL_ID, True)
    assert reading.headers == ((b"authorization", b"Bearer k"), (b"content-type", b"Image/png"))
    received = tuple(header for header in headers if header[0] != b"host")
    assert reading.received == received
    assert reading.recorded == ((b"authorization", MARK), *received[1:])


def test_a_body_of_another_length() -> None:
    """Both lists tell the length that this request's head told."""
    headers = ((b"cookie", b"c"), (b"content-length", b"2"), (b"x", b"y"))
    reading = read(scope(b"/v1/gateway/oai/v1/x", *headers), ROUTES)
    assert isinstance(reading, HeadReading)
    told = ((b"content-length", b"10"), (b"x", b"y"))
    assert reading.lists(b"10") == (((b"cookie", b"c"), *told), ((b"cookie", MARK), *told))
    assert reading.lists(b"2") == reading.lists(None) == (reading.received, reading.recorded)


def test_a_take_s_calls_have_ids_of_their_own() -> None:
    """An agent that runs again may give the ids that it gave before: the recorded calls are not to be overwritten."""
    ids = ((b"helicone-request-id", CALL_ID.encode()), (b"reenact-take", b"r/2"))
    reading = read(scope(b"/v1/gateway/oai/v1/x", *ids), ROUTES)
    assert isinstance(reading, HeadReading)
    assert (reading.take, reading.request_id) == (TakeName("r", 2), None)


def test_what_is_for_nobody_here() -> None:
    """The API and the pages have paths of their own."""
    assert read(scope(b"/sessions"), ROUTES) is NOT_OURS
