"""Which provider a request is for, by its path, its host, or the origin it names; and what to ask that provider for.

Paths stay bytes and percent-encoded from end to end: the provider is asked for what the agent wrote, less our own prefix.
"""

from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

import msgspec

from reenact.access.keys import vaulted_provider
from reenact.domain.exchange import Header
from reenact.errors import InvalidInput
from reenact.gateway.addressing import cut_key
from reenact.gateway.labelling import provider_authorization, value_of
from reenact.gateway.providers import (
    ANTHROPIC_RESOURCES,
    CUSTOM,
    HOSTS,
    OPENAI_RESOURCES,
    OWN_RESOURCES,
    PROVIDERS,
    UNVERSIONED_RESOURCES,
    Auth,
    Provider,
)


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """Where a request goes."""

    provider: str
    origin: str
    """Scheme, host and port."""
    target: bytes
    """Path and query for the provider."""
    auth: Auth
    called: bytes
    """Path and query to call on this gateway to come here again: as the agent called it, a key in the path cut out. Where
    the host named the provider, `/v1/gateway/<provider>` stands before it, so that it holds under any host."""
    path_key: str | None = None
    """The Helicone key that stood in the path."""
    is_guarded: bool = False
    """Whether the agent named the origin itself, and it is none that this server was told of."""
    elects: bool = False
    """Whether the gateway is to choose the provider by the body's model; there is no origin then."""


class NotOurs(msgspec.Struct, frozen=True):
    """The request is not one to relay; the REST API or the pages may know it."""


class Rejection(msgspec.Struct, frozen=True, kw_only=True):
    """The request is for the gateway, but for nothing that the gateway can reach."""

    status: int
    message: str
    target: Target
    """As far as it is known; it has no origin."""


Route = Target | Rejection | NotOurs

NOT_OURS = NotOurs()

_GATEWAY = b"/v1/gateway/"
_GENERIC = "gateway"
_TARGET_URL = (b"helicone-target-url", b"reenact-target-url")
_API_BASE = (b"helicone-openai-api-base", b"reenact-openai-api-base")
_FALLBACKS = (b"helicone-fallbacks", b"reenact-fallbacks")
_ELECTING = frozenset({"ai", "ai-gateway"})
"""Names of the form that leaves the provider to the gateway (surface 2.3)."""
_ROUTER = "router"
_ELECTABLE = frozenset({b"/chat/completions", b"/responses", b"/embeddings"})
"""What can be asked there, with or without `/v1`."""
_TOLD = (b"v1/log", b"v1/feedback")
"""What under a provider's name is for the REST API (surface 3.10)."""
_GEMINI_ROOTS = frozenset({"v1beta", "v1alpha"})
_BARE_NAMES = frozenset(
    {_GENERIC, _ROUTER, *_ELECTING}.union(*({provider.name, *provider.aliases} for provider in PROVIDERS))
)
"""First segments that mean the gateway without `/v1/gateway` before them; a server's own names never do, lest they hide
one of its pages."""


class _Upstream(msgspec.Struct, frozen=True):
    """A provider and where this server reaches it."""

    provider: Provider
    origin: str
    base_path: bytes = b""


_NOWHERE = _Upstream(Provider(CUSTOM, ""), "")
_ELECTED = _Upstream(Provider("ai-gateway", ""), "")


class Place(msgspec.Struct, frozen=True):
    """A provider's origin."""

    provider: str
    origin: str
    auth: Auth
    is_guarded: bool
    """Whether an agent named it, and it is none that this server was told of."""


class _Call(msgspec.Struct, frozen=True, kw_only=True):
    """A request under routing."""

    path: bytes
    called: bytes
    headers: Sequence[Header]
    query: bytes
    path_key: str | None

    def reject(self, status: int, message: str) -> Rejection:
        return Rejection(status=status, message=message, target=self.goes_to(_NOWHERE, self.path))

    def elects(self, path: bytes) -> "Target | Rejection":
        if not _is_electable(path):
            message = "Without a provider only chat/completions, responses and embeddings can be asked."
            return self.reject(404, message)
        return msgspec.structs.replace(self.goes_to(_ELECTED, path), elects=True)

    def goes_to(self, upstream: _Upstream, path: bytes, *, is_guarded: bool = False) -> Target:
        return Target(
            is_guarded=is_guarded,
            provider=upstream.provider.name,
            origin=upstream.origin,
            target=self._with_query(upstream.base_path + path),
            auth=upstream.provider.auth,
            called=self._with_query(self.called),
            path_key=self.path_key,
        )

    def _with_query(self, path: bytes) -> bytes:
        return path + b"?" + self.query if self.query else path


class Routes:
    """The provider table with a server's own upstreams laid over it."""

    def __init__(self, upstreams: Mapping[str, str] | None = None) -> None:
        """Take *upstreams*: base URL by provider name; a name that is not in the table becomes a provider of its own.

        Raises:
            InvalidInput: an upstream that is no http(s) URL.
        """
        self._upstreams: dict[str, _Upstream] = {}
        for provider in PROVIDERS:
            self._add(_Upstream(provider, provider.origin))
        self._trusted: set[str] = set()
        for name, url in (upstreams or {}).items():
            known = self._upstreams.get(name.lower())
            own = _overridden(known.provider if known else Provider(name.lower(), ""), url)
            self._trusted.add(own.origin)
            self._add(own)

    def route(self, host: bytes, raw_path: bytes, query: bytes, headers: Sequence[Header]) -> Route:
        """Return where a request goes.

        Args:
            host: the `Host` header.
            raw_path: as it came, percent-encoded, without the query.
            query: as it came, without the question mark; empty for none.
            headers: as they came, names in lower case.
        """
        path_key, path = cut_key(raw_path)
        call = _Call(path=path, called=path, headers=headers, query=query, path_key=path_key)
        if path.startswith(_GATEWAY):
            return self._by_name(call, path[len(_GATEWAY) :])
        first, _, rest = path[1:].partition(b"/")
        root = first.decode("latin-1")
        if (by_host := self._by_host(call, host, root, rest)) is not None:
            return by_host
        if root in _BARE_NAMES and not rest.startswith(_TOLD):
            return self._by_name(call, path[1:])
        return self._by_resource(call, root, rest)

    def locate(self, url: str) -> Place:
        """Return where a *url* that an agent named leads; only its origin is kept (surface 1.4).

        Raises:
            InvalidInput: it is no http or https URL.
        """
        origin, _ = _split(url)
        known = self._upstreams.get(_provider_of(origin))
        provider = known.provider if known else Provider(CUSTOM, "")
        return Place(provider.name, origin, provider.auth, is_guarded=origin not in self._trusted)

    def provider(self, name: str, target: bytes) -> Target:
        """Return where *target*, a path with its query, of the provider called *name* is.

        Raises:
            InvalidInput: there is no such provider, or it has no address.
        """
        upstream = self._upstreams.get(name)
        if upstream is None or not upstream.origin:
            message = f"{name} has no address. Set one with --upstream {name}=URL."
            raise InvalidInput(message, field="model")
        path, _, query = target.partition(b"?")
        called = _GATEWAY + name.encode() + path
        call = _Call(path=path, called=called, headers=(), query=query, path_key=None)
        return call.goes_to(upstream, path)

    def _add(self, upstream: _Upstream) -> None:
        for name in (upstream.provider.name, *upstream.provider.aliases):
            self._upstreams[name] = upstream

    def _by_name(self, call: _Call, named: bytes) -> Route:
        """Route `<provider>/<path>`."""
        first, _, rest = named.partition(b"/")
        name = first.decode("latin-1").lower()
        if name == _GENERIC:
            return self._by_header(call, b"/" + rest)
        if name in _ELECTING:
            return call.elects(b"/" + rest)
        if name == _ROUTER:
            return call.elects(b"/" + rest.partition(b"/")[2])
        if name not in self._upstreams:
            return call.reject(404, f"There is no provider named {name!r}. Set one with --upstream {name}=URL.")
        return self._to(call, name, b"/" + rest)

    def _by_header(self, call: _Call, path: bytes) -> Route:
        """Route to the origin that the agent names."""
        url = _value(call.headers, _TARGET_URL)
        if _value(call.headers, _FALLBACKS) is not None:
            return call.goes_to(_NOWHERE, path)  # they name the targets
        return call.reject(400, "Missing target base url") if url is None else self._to_url(call, url, path)

    def _by_host(self, call: _Call, host: bytes, root: str, rest: bytes) -> Route | None:
        """Route by the host's first label, as in `oai.example.com`; None when it names no provider."""
        label, dot, _ = host.partition(b".")
        if not dot or (root == "v1" and rest.startswith(OWN_RESOURCES)):
            return None
        name = label.decode("latin-1").lower()
        if name == _GENERIC and _value(call.headers, (*_TARGET_URL, *_FALLBACKS)) is not None:
            return self._by_header(_prefixed(call, name), call.path)
        if name in _ELECTING and _is_electable(call.path):
            return _prefixed(call, name).elects(call.path)
        known = self._upstreams.get(name)
        return self._to(_prefixed(call, name), name, call.path) if known and root in known.provider.roots else None

    def _by_resource(self, call: _Call, root: str, rest: bytes) -> Route:
        """Route a bare path by the kind of thing it asks for."""
        if root in _GEMINI_ROOTS:
            return self._to(call, "google", call.path)
        if _leaves_the_provider_open(call):
            return call.elects(call.path)
        if root in UNVERSIONED_RESOURCES:
            return self._to(call, "openai", b"/v1" + call.path)
        resource = rest.partition(b"/")[0].decode("latin-1") if root == "v1" else ""
        if resource in ANTHROPIC_RESOURCES:
            return self._to(call, "anthropic", call.path)
        if resource not in OPENAI_RESOURCES:
            return NOT_OURS
        if value_of(call.headers, b"anthropic-version") is not None:
            return self._to(call, "anthropic", call.path)
        if resource == "models" and (call.path_key or not _has_provider_key(call.headers)):
            return NOT_OURS
        return self._to(call, "openai", call.path)

    def _to(self, call: _Call, name: str, path: bytes) -> Route:
        upstream = self._upstreams[name]
        if upstream.provider.name == "openai" and (url := _value(call.headers, _API_BASE)) is not None:
            return self._to_url(call, url, path)
        if not upstream.origin:
            known = upstream.provider.name
            return call.reject(404, f"{known} has no address of its own. Set one with --upstream {known}=URL.")
        return call.goes_to(upstream, path)

    def _to_url(self, call: _Call, url: str, path: bytes) -> Route:
        """Route to *url*; only its origin is kept (surface 1.4)."""
        try:
            place = self.locate(url)
        except InvalidInput:  # its message shows the URL, in which a password may stand
            return call.reject(400, "The target that the headers name is no http or https URL.")
        upstream = _Upstream(Provider(place.provider, "", place.auth), place.origin)
        return call.goes_to(upstream, path, is_guarded=place.is_guarded)


def _value(headers: Sequence[Header], names: Sequence[bytes]) -> str | None:
    return next((value for name in names if (value := value_of(headers, name)) is not None), None)


def _is_electable(path: bytes) -> bool:
    return path.removeprefix(b"/v1") in _ELECTABLE


def _leaves_the_provider_open(call: _Call) -> bool:
    """Return whether a bare path has a Helicone key in a provider's place, which stands for no provider's (surface 2.5)."""
    authorization = value_of(call.headers, b"authorization")
    if not _is_electable(call.path) or authorization is None or _has_provider_key(call.headers):
        return False
    return vaulted_provider(authorization.rpartition(" ")[2]) is None


def _prefixed(call: _Call, name: str) -> _Call:
    return msgspec.structs.replace(call, called=_GATEWAY + name.encode("latin-1") + call.path)


def _has_provider_key(headers: Sequence[Header]) -> bool:
    authorization = value_of(headers, b"authorization")
    return authorization is not None and provider_authorization(authorization) is not None


def _provider_of(origin: str) -> str:
    host = origin.partition("://")[2].partition(":")[0]
    return next((name for ending, name in HOSTS.items() if host == ending or host.endswith("." + ending)), CUSTOM)


def _overridden(provider: Provider, url: str) -> _Upstream:
    """Return where *url* puts *provider*. An API root at its end is left out: the paths that agents call begin with it."""
    origin, path = _split(url)
    before, _, last = path.rpartition("/")
    return _Upstream(provider, origin, (before if last in provider.roots else path).encode())


def _split(url: str) -> tuple[str, str]:
    """Split a base URL into origin and path; user names and passwords in it are dropped."""
    try:
        parts = urlsplit(url.strip())
        port = parts.port
    except ValueError as error:
        raise InvalidInput(f"{url!r} is no URL: {error}.", field="upstream") from error
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise InvalidInput(f"{url!r} is no http or https URL.", field="upstream")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{host}" + (f":{port}" if port else ""), parts.path.rstrip("/")
