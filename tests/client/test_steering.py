"""Agents are led to the server by the variables that their SDKs read."""

from openai import OpenAI

from reenact.client.steering import moved, placeholder_keys, variables_for

BASE = "http://127.0.0.1:8585/v1/gateway"


def test_known_sdks_are_led_to_their_provider() -> None:
    """Each base URL is such as its SDK joins its paths to."""
    variables = variables_for(BASE, {})

    assert (f"{BASE}/oai/v1", f"{BASE}/anthropic", f"{BASE}/google") == (
        variables["OPENAI_BASE_URL"], variables["ANTHROPIC_BASE_URL"], variables["GOOGLE_GEMINI_BASE_URL"],
    )  # fmt: skip
    assert f"{BASE}/oai/v1/" == str(OpenAI(api_key="x", base_url=variables["OPENAI_BASE_URL"]).base_url)


def test_azure_is_led_here_only_where_it_is_used() -> None:
    """Its SDK takes an endpoint for a sign that it is meant."""
    assert "AZURE_OPENAI_ENDPOINT" not in variables_for(BASE, {})
    assert f"{BASE}/azure" == variables_for(BASE, {"AZURE_OPENAI_ENDPOINT": "https://x"})["AZURE_OPENAI_ENDPOINT"]


def test_no_proxy_stands_before_the_server() -> None:
    """Where the agent has one; what it knew to leave out stays left out."""
    proxied = variables_for(BASE, {"HTTPS_PROXY": "http://proxy", "no_proxy": "a.example"})

    assert ("a.example,127.0.0.1", "a.example,127.0.0.1") == (proxied["no_proxy"], proxied["NO_PROXY"])
    assert "no_proxy" not in variables_for(BASE, {})


def test_what_led_elsewhere_is_told() -> None:
    """But not what led here already."""
    environ = {"OPENAI_BASE_URL": "https://proxy.example/v1", "ANTHROPIC_BASE_URL": f"{BASE}/anthropic"}

    assert {"OPENAI_BASE_URL": "https://proxy.example/v1"} == moved(BASE, environ)


def test_placeholders_stand_only_where_there_is_no_key() -> None:
    """Google's key has two names."""
    placed = placeholder_keys({"OPENAI_API_KEY": "sk-mine", "GOOGLE_API_KEY": "mine"})

    assert {"OPENAI_API_KEY", "GEMINI_API_KEY"}.isdisjoint(placed)
    assert {"reenact-playback"} == set(placed.values())
