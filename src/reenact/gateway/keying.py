"""How a provider's key travels: an agent that can only send `Authorization` reaches providers with headers of their own."""

from collections.abc import Sequence

from reenact.domain.exchange import Header
from reenact.gateway.providers import Auth

_BEARER = b"bearer "

_LOGINS = (b"sk-ant-oat", b"ya29.", b"eyJ")
"""Beginnings of tokens that are no API keys but logins (Anthropic OAuth, Google OAuth, JSON Web Tokens): their place is
`Authorization` everywhere."""

_OPENAI_FORMS = (b"/openai/", b"/v1/chat/completions", b"/compatibility/")
"""Paths under which other providers speak OpenAI's format and take its `Authorization`, too."""


def keyed(headers: Sequence[Header], auth: Auth, target: bytes) -> tuple[Header, ...]:
    """Return *headers* with a bearer key moved to the header that the provider reads, where it has one of its own.

    Nothing changes when that header is there already, when the path is one of the OpenAI format's, when the key stands in the
    query, or when the token is a login and no key.
    """
    if auth is Auth.BEARER or b"key=" in target.partition(b"?")[2]:
        return tuple(headers)
    if auth is not Auth.API_KEY and any(form in target for form in _OPENAI_FORMS):
        return tuple(headers)
    if any(name == auth.value for name, _ in headers):
        return tuple(headers)
    return tuple(_moved(header, auth) for header in headers)


def brought_key(headers: Sequence[Header]) -> str | None:
    """Return the provider's key that a call brings along in `Authorization`, where OpenAI's format has it; None for none."""
    for name, value in headers:
        if name == b"authorization" and value[: len(_BEARER)].lower() == _BEARER:
            return value[len(_BEARER) :].strip().decode("latin-1") or None
    return None


def _moved(header: Header, auth: Auth) -> Header:
    name, value = header
    if name != b"authorization" or value[: len(_BEARER)].lower() != _BEARER:
        return header
    token = value[len(_BEARER) :].strip()
    return header if token.startswith(_LOGINS) else (auth.value, token)
