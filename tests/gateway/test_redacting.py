import pytest

from reenact.gateway.redacting import MARK, redact_headers, redact_target


@pytest.mark.parametrize(
    "name",
    [
        b"authorization",
        b"helicone-auth",
        b"reenact-auth",
        b"x-api-key",
        b"api-key",
        b"x-goog-api-key",
        b"cookie",
        b"set-cookie",
        b"proxy-authorization",
        b"x-amz-security-token",
        b"helicone-posthog-key",
        b"helicone-fallbacks",
        b"reenact-fallbacks",
        b"openai-api-key",
        b"authentication",
        b"x-auth",
        b"x-password",
        b"x-amz-credential",
    ],
)
def test_secret_headers_lose_their_value(name: bytes) -> None:
    """Whatever is in a secret header is replaced; name and place stay."""
    assert redact_headers([(b"a", b"1"), (name, b"secret"), (b"b", b"2")]) == ((b"a", b"1"), (name, MARK), (b"b", b"2"))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (b"https://api.example/v1?a=1", b"https://api.example/v1?a=1"),
        (b"https://me:secret@api.example:8443/v1?key=secret", b"https://api.example:8443/v1?key=REDACTED"),
        (b"//me@x@api.example", b"//api.example"),
        (b"https://api.example/@x", b"https://api.example/@x"),
        (b"no URL, but https://me:secret@api.example", MARK),
    ],
)
def test_targets_lose_passwords_and_keys(value: bytes, expected: bytes) -> None:
    """What stands before the host, and keys in the query."""
    name = b"helicone-target-url"
    assert redact_headers([(name, value)]) == ((name, expected),)


@pytest.mark.parametrize(
    "name", [b"openai-organization", b"idempotency-key", b"content-type", b"x-ratelimit-remaining-tokens"]
)
def test_other_headers_are_kept(name: bytes) -> None:
    """What is no secret stays as it came."""
    assert redact_headers([(name, b"value")]) == ((name, b"value"),)


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        (b"/v1/x", b"/v1/x"),
        (b"/v1/x?key=secret", b"/v1/x?key=REDACTED"),
        (b"/v1/x?a=%20&KEY=secret&b&alt=sse", b"/v1/x?a=%20&KEY=REDACTED&b&alt=sse"),
        (b"/v1/x?monkey=1&key", b"/v1/x?monkey=1&key"),
        (b"http://h/x?access_token=a=b", b"http://h/x?access_token=REDACTED"),
        (
            b"/x?X-Amz-Signature=s&k%65y=s&client_secret=s",
            b"/x?X-Amz-Signature=REDACTED&k%65y=REDACTED&client_secret=REDACTED",
        ),
        (b"/x?subscription-key=s&password=s&auth=s", b"/x?subscription-key=REDACTED&password=REDACTED&auth=REDACTED"),
        (b"/x?code=s&author=me&tokens=3&postcode=1", b"/x?code=REDACTED&author=me&tokens=3&postcode=1"),
    ],
)
def test_secret_parameters_lose_their_value(target: bytes, expected: bytes) -> None:
    """Keys in a query are replaced; all else keeps its very bytes."""
    assert redact_target(target) == expected
