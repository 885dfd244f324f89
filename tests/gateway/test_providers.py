from collections import Counter

from reenact.gateway.providers import HOSTS, OPENAI_RESOURCES, OWN_RESOURCES, PROVIDERS


def test_every_name_means_one_provider() -> None:
    """No name or alias stands in the table twice."""
    names = Counter(name for provider in PROVIDERS for name in (provider.name, *provider.aliases))
    assert [name for name, count in names.items() if count > 1] == []


def test_origins_are_bare_and_encrypted() -> None:
    """Keys travel by https only, and an origin has no path that would be doubled."""
    bad = [p.name for p in PROVIDERS if p.origin and (not p.origin.startswith("https://") or p.origin.count("/") != 2)]
    assert bad == []


def test_no_resource_of_openais_is_one_of_ours() -> None:
    """A bare `/v1/<resource>` is either relayed or answered here, never both."""
    assert [name for name in sorted(OPENAI_RESOURCES) if name.encode().startswith(OWN_RESOURCES)] == []


def test_hosts_name_known_providers() -> None:
    """An origin that an agent names gets the label of the table, or one without an API of its own here."""
    assert set(HOSTS.values()) - {provider.name for provider in PROVIDERS} == {"aws"}
