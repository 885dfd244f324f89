"""A module named -ing decides; it reaches no clock, no randomness and no world."""

import grimp
import pytest

WORLD = {
    "aiohttp", "asyncio", "concurrent", "httptools", "httpx2", "litestar", "os", "random", "secrets", "select", "selectors",
    "socket", "sqlalchemy", "sqlite3", "ssl", "subprocess", "threading", "time", "urllib.request", "uvicorn", "uvloop",
}  # fmt: skip
PURE_PACKAGES = ("reenact.domain", "reenact.dialects", "reenact.errors", "reenact.access")


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    """The import graph of the package, with what it imports from outside."""
    return grimp.build_graph("reenact", include_external_packages=True, cache_dir=None)


def decides(module: str) -> bool:
    """Whether a module promises to be pure by its name or its place."""
    return module.rsplit(".", 1)[-1].endswith("ing") or module.startswith(PURE_PACKAGES)


def test_modules_that_decide_reach_no_world(graph: grimp.ImportGraph) -> None:
    """No -ing module, and nothing in domain, dialects or access, imports a world module itself or through our own."""
    offences: list[str] = []
    for module in sorted(graph.modules):
        if not module.startswith("reenact") or not decides(module):
            continue
        own = {module} | {m for m in graph.find_upstream_modules(module) if m.startswith("reenact")}
        reached = {imported for m in own for imported in graph.find_modules_directly_imported_by(m)} & WORLD
        offences.extend(f"{module} reaches {world}" for world in sorted(reached))

    assert [] == offences


def test_some_modules_decide(graph: grimp.ImportGraph) -> None:
    """The rule above is about something: there are modules that decide."""
    deciding = [m for m in graph.modules if m.startswith("reenact") and decides(m)]

    assert len(deciding) > 10
