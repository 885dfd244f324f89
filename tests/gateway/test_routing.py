import pytest

from reenact.domain.exchange import Header
from reenact.errors import InvalidInput
from reenact.gateway.providers import Auth
from reenact.gateway.routing import NOT_OURS, NotOurs, Rejection, Route, Routes, Target

OURS = "sk-helicone-aaaaaaa-bbbbbbb-ccccccc-ddddddd"
BEARER: list[Header] = [(b"authorization", b"Bearer sk-1")]
OPENAI = "https://api.openai.com"


def _route(
    path: str,
    headers: list[Header] | None = None,
    *,
    host: str = "localhost:8585",
    upstreams: dict[str, str] | None = None,
) -> Route:
    raw_path, _, query = path.partition("?")
    return Routes(upstreams).route(host.encode(), raw_path.encode(), query.encode(), headers or [])


def _place(route: Route) -> tuple[str, str] | str:
    """Return the provider and the whole URL asked for, or what became of the request instead."""
    match route:
        case Target():
            return route.provider, route.origin + route.target.decode()
        case Rejection():
            return str(route.status)
        case NotOurs():
            return "not ours"


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ("/v1/gateway/oai/v1/chat/completions", ("openai", f"{OPENAI}/v1/chat/completions")),
        ("/v1/gateway/openai/v1/x", ("openai", f"{OPENAI}/v1/x")),
        ("/v1/gateway/OAI/v1/x", ("openai", f"{OPENAI}/v1/x")),
        ("/v1/gateway/anthropic/v1/messages", ("anthropic", "https://api.anthropic.com/v1/messages")),
        ("/oai/v1/chat/completions", ("openai", f"{OPENAI}/v1/chat/completions")),
        ("/anthropic/v1/messages", ("anthropic", "https://api.anthropic.com/v1/messages")),
        ("/groq/openai/v1/chat/completions", ("groq", "https://api.groq.com/openai/v1/chat/completions")),
        ("/v1/chat/completions", ("openai", f"{OPENAI}/v1/chat/completions")),
        ("/v1/responses/resp_1/cancel", ("openai", f"{OPENAI}/v1/responses/resp_1/cancel")),
        ("/chat/completions", ("openai", f"{OPENAI}/v1/chat/completions")),
        ("/v1/messages?beta=true", ("anthropic", "https://api.anthropic.com/v1/messages?beta=true")),
        (
            "/v1beta/models/gemini-2.0-flash:generateContent",
            ("google", "https://generativelanguage.googleapis.com/v1beta/models/gemini-2.0-flash:generateContent"),
        ),
        ("/v1/gateway/oai/a%2Fb/%2e%2e?x=%20&y", ("openai", f"{OPENAI}/a%2Fb/%2e%2e?x=%20&y")),
        ("/v1/gateway/oai", ("openai", f"{OPENAI}/")),
        (f"/{OURS}/v1/chat/completions", ("openai", f"{OPENAI}/v1/chat/completions")),
        (f"/{OURS}/oai/v1/x", ("openai", f"{OPENAI}/v1/x")),
        ("/v1/gateway/nobody/v1/x", "404"),
        ("/v1/gateway/azure/openai/deployments/x", "404"),
        ("/v1/gateway/gateway/v1/x", "400"),
        ("/gateway/v1/x", "400"),
    ],
)
def test_paths_name_their_provider(path: str, place: tuple[str, str] | str) -> None:
    """Each form of path leads to the provider's own path, percent-encoding and query untouched."""
    assert _place(_route(path)) == place


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/sessions",
        "/v1/request/query",
        "/v1/request/query-clickhouse",
        "/v1/session/query",
        "/v1/replays",
        "/v1/prompt/query",
        "/v1/property/query",
        "/v1/user/query",
        "/v1/metrics/totalRequests",
        "/v1/trace/custom/v1/log",
        "/v1/log/request",
        "/v1/evals/query",
        "/v1/api-keys",
        "/v1/public/model-registry/models",
        "/oai/v1/log",
        "/anthropic/v1/log",
        "/models",
    ],
)
@pytest.mark.parametrize("host", ["localhost:8585", "openai.example.com", "llama.lan"])
def test_our_own_paths_are_left_to_the_rest_api(path: str, host: str) -> None:
    """No path of the REST API or of a page is ever taken for a provider's, whatever the machine is called."""
    assert _route(path, host=host) == NOT_OURS


@pytest.mark.parametrize("path", ["/v1", "/v1/models", "/v1/models/multimodal", f"/{OURS}/v1/models"])
def test_models_without_a_providers_key_are_ours(path: str) -> None:
    """So are they with a Helicone key in the path."""
    assert _route(path) == NOT_OURS


@pytest.mark.parametrize(
    ("headers", "place"),
    [
        (BEARER, ("openai", f"{OPENAI}/v1/models")),
        ([(b"authorization", f"Bearer {OURS}".encode())], "not ours"),
        ([], "not ours"),
        (
            [(b"x-api-key", b"k"), (b"anthropic-version", b"2023-06-01")],
            ("anthropic", "https://api.anthropic.com/v1/models"),
        ),
    ],
)
def test_models_belong_to_whoevers_key_asks(headers: list[Header], place: tuple[str, str] | str) -> None:
    """`/v1/models` is ours for a Helicone key and the provider's for a provider's key (surface 2.5)."""
    assert _place(_route("/v1/models", headers)) == place


@pytest.mark.parametrize(
    ("host", "path", "provider", "called"),
    [
        ("oai.helicone.test", "/v1/chat/completions", "openai", b"/v1/gateway/oai/v1/chat/completions"),
        ("ANTHROPIC.localhost:8585", "/v1/messages", "anthropic", b"/v1/gateway/anthropic/v1/messages"),
        ("groq.helicone.test", "/openai/v1/chat/completions", "groq", b"/v1/gateway/groq/openai/v1/chat/completions"),
        (
            "openrouter.helicone.test",
            "/api/v1/chat/completions",
            "openrouter",
            b"/v1/gateway/openrouter/api/v1/chat/completions",
        ),
    ],
)
def test_the_first_label_of_the_host_names_a_provider(host: str, path: str, provider: str, called: bytes) -> None:
    """Hosted addresses work when DNS points here; the path to call again holds under any host and leads to the same place."""
    target = _route(path, host=host)
    assert isinstance(target, Target)
    assert (target.provider, target.target, target.called) == (provider, path.encode(), called)
    assert _place(_route(called.decode())) == _place(target)


def test_a_key_in_the_path_is_cut_out() -> None:
    """Tools that cannot set headers put the key before the path; neither the provider nor the record sees it."""
    target = _route(f"/{OURS}/v1/chat/completions")
    assert isinstance(target, Target)
    assert (target.path_key, target.called) == (OURS, b"/v1/chat/completions")


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("https://api.groq.com/ignored/path", ("groq", "https://api.groq.com/openai/v1/x?a=1")),
        ("http://127.0.0.1:11434", ("custom", "http://127.0.0.1:11434/openai/v1/x?a=1")),
        ("https://user:secret@my.openai.azure.com", ("azure", "https://my.openai.azure.com/openai/v1/x?a=1")),
        ("https://notapi.groq.com.evil.test", ("custom", "https://notapi.groq.com.evil.test/openai/v1/x?a=1")),
        ("http://[::1]:9000/", ("custom", "http://[::1]:9000/openai/v1/x?a=1")),
        ("ftp://x", "400"),
        ("nonsense", "400"),
        ("http://x:port", "400"),
    ],
)
def test_the_generic_gateway_goes_to_the_origin_that_the_agent_names(url: str, place: tuple[str, str] | str) -> None:
    """Only the origin of `Helicone-Target-URL` is kept, and user names in it are dropped."""
    assert _place(_route("/v1/gateway/gateway/openai/v1/x?a=1", [(b"helicone-target-url", url.encode())])) == place


def test_the_generic_gateway_has_a_host_too() -> None:
    """`gateway.<domain>` with a target is the generic gateway."""
    target = _route("/v1/x", [(b"helicone-target-url", b"http://h")], host="gateway.helicone.test")
    assert (_place(target), isinstance(target, Target) and target.called) == (
        ("custom", "http://h/v1/x"),
        b"/v1/gateway/gateway/v1/x",
    )


def test_the_openai_base_can_be_named_by_a_header() -> None:
    """`Helicone-OpenAI-Api-Base` sends an OpenAI call to another origin that speaks it."""
    headers = [(b"helicone-openai-api-base", b"https://my.openai.azure.com/x")]
    assert _place(_route("/oai/openai/deployments/d", headers)) == (
        "azure",
        "https://my.openai.azure.com/openai/deployments/d",
    )


@pytest.mark.parametrize(
    ("upstreams", "path", "place"),
    [
        ({"openai": "http://127.0.0.1:9000"}, "/oai/v1/x", ("openai", "http://127.0.0.1:9000/v1/x")),
        ({"oai": "http://127.0.0.1:9000"}, "/v1/gateway/openai/v1/x", ("openai", "http://127.0.0.1:9000/v1/x")),
        ({"openai": "http://127.0.0.1:9000/v1/"}, "/oai/v1/x", ("openai", "http://127.0.0.1:9000/v1/x")),
        ({"openai": "http://h/base/v1"}, "/v1/chat/completions", ("openai", "http://h/base/v1/chat/completions")),
        ({"openai": "http://h/base"}, "/v1/chat/completions", ("openai", "http://h/base/v1/chat/completions")),
        ({"azure": "https://r.openai.azure.com"}, "/azure/openai/x", ("azure", "https://r.openai.azure.com/openai/x")),
        ({"mine": "http://h:1"}, "/v1/gateway/mine/v1/x", ("mine", "http://h:1/v1/x")),
        ({"sessions": "http://h:1"}, "/sessions/1", "not ours"),
    ],
)
def test_upstreams_of_the_server_come_first(upstreams: dict[str, str], path: str, place: tuple[str, str] | str) -> None:
    """A server's own upstream stands for its provider under all names; a new name is reached under `/v1/gateway/` alone."""
    assert _place(_route(path, upstreams=upstreams)) == place


def test_an_upstream_that_is_no_url_is_told_at_once() -> None:
    """The server does not start with an upstream that nothing could reach."""
    with pytest.raises(InvalidInput, match="'localhost:9000' is no http or https URL"):
        Routes({"openai": "localhost:9000"})


def test_a_target_knows_how_its_provider_wants_the_key() -> None:
    """Anthropic's and Google's own headers, a bearer elsewhere."""
    targets = [_route(path) for path in ("/anthropic/v1/x", "/google/v1beta/x", "/oai/v1/x")]
    assert [isinstance(target, Target) and target.auth for target in targets] == [
        Auth.X_API_KEY,
        Auth.X_GOOG_API_KEY,
        Auth.BEARER,
    ]


OWN: list[Header] = [(b"authorization", b"Bearer " + OURS.encode())]


@pytest.mark.parametrize(
    ("path", "headers", "host", "expected"),
    [
        ("/ai/chat/completions", [], "localhost", b"/chat/completions"),
        ("/ai/v1/chat/completions?a=1", [], "localhost", b"/v1/chat/completions?a=1"),
        ("/v1/gateway/ai-gateway/v1/responses", [], "localhost", b"/v1/responses"),
        ("/router/mine/embeddings", [], "localhost", b"/embeddings"),
        ("/v1/chat/completions", [], "ai-gateway.example.com", b"/v1/chat/completions"),
        ("/v1/chat/completions", OWN, "localhost", b"/v1/chat/completions"),
        ("/chat/completions", OWN, "localhost", b"/chat/completions"),
    ],
)
def test_a_provider_may_be_left_to_the_gateway(path: str, headers: list[Header], host: str, expected: bytes) -> None:
    """By the path, by the host, or by a Helicone key where a provider's key would stand."""
    route = _route(path, headers, host=host)

    assert isinstance(route, Target)
    assert (True, "", expected) == (route.elects, route.origin, route.target)


@pytest.mark.parametrize(
    ("path", "headers", "place"),
    [
        ("/ai/v1/images/generations", [], "404"),
        ("/router/mine", [], "404"),
        ("/v1/responses/resp_1/cancel", OWN, ("openai", f"{OPENAI}/v1/responses/resp_1/cancel")),
        ("/v1/chat/completions", [(b"helicone-auth", b"Bearer x")], ("openai", f"{OPENAI}/v1/chat/completions")),
        (
            "/v1/chat/completions",
            [(b"authorization", b"Bearer sk-1, Bearer " + OURS.encode())],
            ("openai", f"{OPENAI}/v1/chat/completions"),
        ),
    ],
)
def test_what_names_no_model_is_not_left_to_the_gateway(
    path: str, headers: list[Header], place: tuple[str, str] | str
) -> None:
    """Nor is a call that brings a provider's key."""
    route = _route(path, headers)

    assert place == _place(route)
    assert not isinstance(route, Target) or not route.elects


def test_origins_that_agents_name_are_told_apart_from_the_servers_own() -> None:
    """The first are checked before anything is sent there."""
    upstreams = {"mine": "http://10.0.0.1:9000/v1"}
    named = [b"https://api.groq.com", b"http://10.0.0.1:9000", b"http://10.0.0.1:9001"]
    routes = [_route("/v1/gateway/gateway/v1/x", [(b"reenact-target-url", url)], upstreams=upstreams) for url in named]

    assert [True, False, True] == [isinstance(route, Target) and route.is_guarded for route in routes]
    assert [("groq", True), ("custom", False)] == [
        (place.provider, place.is_guarded) for place in (Routes(upstreams).locate(url.decode()) for url in named[:2])
    ]


def test_fallbacks_stand_for_a_target() -> None:
    """The generic gateway then needs no target of its own; the targets are read later."""
    route = _route("/v1/gateway/gateway/v1/x?y", [(b"helicone-fallbacks", b"[]")])

    assert isinstance(route, Target)
    assert ("custom", "", b"/v1/x?y", False) == (route.provider, route.origin, route.target, route.is_guarded)


def test_a_provider_is_found_by_its_name() -> None:
    """With the base path of the server's own upstream, and the path that leads there again."""
    target = Routes({"mine": "http://10.0.0.1:9000/base"}).provider("mine", b"/v1/chat/completions?a=1")

    assert ("http://10.0.0.1:9000", b"/base/v1/chat/completions?a=1") == (target.origin, target.target)
    assert b"/v1/gateway/mine/v1/chat/completions?a=1" == target.called
    with pytest.raises(InvalidInput, match="azure has no address"):
        Routes().provider("azure", b"/")
