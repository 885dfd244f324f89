import pytest

from reenact.domain.exchange import Header
from reenact.gateway.keying import keyed
from reenact.gateway.providers import Auth

BEARER = (b"authorization", b"Bearer k")


@pytest.mark.parametrize(
    ("headers", "auth", "target", "expected"),
    [
        ([BEARER], Auth.BEARER, b"/v1/x", (BEARER,)),
        ([BEARER], Auth.X_API_KEY, b"/v1/messages", ((b"x-api-key", b"k"),)),
        ([(b"authorization", b"bearer  k ")], Auth.X_API_KEY, b"/v1/messages", ((b"x-api-key", b"k"),)),
        ([BEARER], Auth.X_GOOG_API_KEY, b"/v1beta/models/m:generateContent", ((b"x-goog-api-key", b"k"),)),
        ([BEARER], Auth.API_KEY, b"/openai/deployments/d/chat/completions", ((b"api-key", b"k"),)),
        # the provider's own header is there
        ([BEARER, (b"x-api-key", b"own")], Auth.X_API_KEY, b"/v1/messages", (BEARER, (b"x-api-key", b"own"))),
        ([BEARER], Auth.X_GOOG_API_KEY, b"/v1beta/models?key=q", (BEARER,)),
        # the provider speaks OpenAI's format here
        ([BEARER], Auth.X_GOOG_API_KEY, b"/v1beta/openai/chat/completions", (BEARER,)),
        ([BEARER], Auth.X_API_KEY, b"/v1/chat/completions", (BEARER,)),
        # a login is no key
        (
            [(b"authorization", b"Bearer sk-ant-oat01-x")],
            Auth.X_API_KEY,
            b"/v1/m",
            ((b"authorization", b"Bearer sk-ant-oat01-x"),),
        ),
        (
            [(b"authorization", b"Bearer ya29.x")],
            Auth.X_GOOG_API_KEY,
            b"/v1/m",
            ((b"authorization", b"Bearer ya29.x"),),
        ),
        ([(b"authorization", b"Basic k")], Auth.X_API_KEY, b"/v1/m", ((b"authorization", b"Basic k"),)),
    ],
)
def test_a_bearer_key_goes_where_the_provider_reads_it(
    headers: list[Header], auth: Auth, target: bytes, expected: tuple[Header, ...]
) -> None:
    """Moved where the provider has a header of its own and the agent did not use it; untouched everywhere else."""
    assert keyed(headers, auth, target) == expected
