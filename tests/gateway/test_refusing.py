import msgspec
import pytest

from reenact.domain.exchange import Ending
from reenact.errors import UpstreamFailed
from reenact.gateway.refusing import refuse, report


@pytest.mark.parametrize(
    ("kind", "status", "ending"),
    [
        ("timeout", 504, Ending.TIMED_OUT),
        ("network_error", 502, Ending.UNREACHED),
        ("dns_error", 502, Ending.UNREACHED),
        ("connection_refused", 502, Ending.UNREACHED),
        ("ssl_error", 502, Ending.UNREACHED),
        ("provider_error", 502, Ending.UNREACHED),
        ("internal_error", 500, Ending.UNREACHED),
    ],
)
def test_a_failed_upstream_is_reported_as_helicone_does(kind: str, status: int, ending: Ending) -> None:
    """Status, headers and all fields of surface 1.8."""
    refusal = report(UpstreamFailed("nobody there", kind), "https://h/x")
    assert (refusal.status, refusal.ending, refusal.detail) == (status, ending, "nobody there")
    assert refusal.headers == (
        (b"content-type", b"application/json"),
        (b"content-length", b"%d" % len(refusal.body)),
        (b"helicone-error", b"true"),
        (b"x-helicone-error-type", kind.encode()),
    )
    assert msgspec.json.decode(refusal.body) == {
        "error": "nobody there",
        "code": status,
        "message": "nobody there",
        "helicone-message": "nobody there",
        "helicone-error-type": kind,
        "support": "",
        "provider-url": "https://h/x",
        "error-trace": "",
    }


def test_a_refused_call_is_told_in_words_that_sdks_show() -> None:
    """The message stands where OpenAI's SDK and where Helicone's tools look for it."""
    refusal = refuse(401, "invalid_api_key", "no")
    assert msgspec.json.decode(refusal.body) == {
        "error": {"message": "no", "type": "invalid_api_key", "code": "invalid_api_key"},
        "helicone-message": "no",
        "helicone-error": "no",
        "support": "",
    }
    assert (refusal.status, refusal.ending, refusal.detail) == (401, Ending.REFUSED, "no")
