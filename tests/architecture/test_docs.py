"""The documents say what is there: every module has its sentence, every setting and error its place."""

import ast
import re
from pathlib import Path

import pytest

from reenact import errors
from reenact.settings import Settings

ROOT = Path(__file__).parents[2]
MODULES = sorted((ROOT / "src" / "reenact").rglob("*.py"))


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT / "src")))
def test_every_module_opens_with_a_sentence(path: Path) -> None:
    """The first thing in a module is a sentence that says what it is for."""
    docstring = ast.get_docstring(ast.parse(path.read_text()))

    assert docstring is not None
    assert docstring.split("\n\n")[0].rstrip().endswith((".", ":", "?", "!"))


def test_every_error_is_drawn_in_the_tree() -> None:
    """The tree at the top of errors.py names every class below it."""
    classes = {name for name, value in vars(errors).items() if isinstance(value, type) and issubclass(value, Exception)}

    assert [] == sorted(name for name in classes if name not in (errors.__doc__ or ""))


def test_every_long_module_says_why() -> None:
    """A module past 500 lines explains itself in its docstring."""
    silent = [
        str(path.relative_to(ROOT))
        for path in MODULES
        if len(path.read_text().splitlines()) > 500
        and "long" not in (ast.get_docstring(ast.parse(path.read_text())) or "").lower()
    ]

    assert [] == silent


def test_every_setting_is_documented() -> None:
    """docs/settings.md has a row for each field of Settings."""
    page = (ROOT / "docs" / "settings.md").read_text()

    assert [] == [name for name in Settings.__struct_fields__ if f"`REENACT_{name.upper()}`" not in page]


def test_the_project_names_no_registry_and_no_machine() -> None:
    """No tracked text names a package registry's host or a path of the machine that it was written on."""
    hosts = ("py" + "pi.org", "pythonhos" + "ted.org", "registry" + ".npmjs.org", "/wo" + "rk/")
    texts = [
        path
        for folder in ("src", "tests", "docs", "scripts", "bench", "requirements", ".ci")
        for path in (ROOT / folder).rglob("*")
        if path.is_file()
        and path.suffix in {".py", ".md", ".lock", ".toml", ".json", ".html", ".js", ".in", ""}
        and "node_modules" not in path.parts
    ]

    assert [] == [
        str(path.relative_to(ROOT)) for path in texts if any(host in path.read_text(errors="replace") for host in hosts)
    ]


def test_only_settings_reads_the_environment() -> None:
    """Whatever a part is told comes as an argument: no other module asks the environment."""
    readers = {path.name for path in MODULES if re.search(r"\bos\.(environ|getenv)\b", path.read_text())}

    assert readers <= {"settings.py"}
