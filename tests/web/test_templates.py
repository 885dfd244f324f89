"""Templates use the fields of their page and nothing else, and treat everything recorded as untrusted."""

import ast
import importlib
import re
from pathlib import Path

import jinja2.meta
import msgspec
import pytest
from jinja2 import nodes

from reenact.web.frame import Frame
from reenact.web.renderer import ENVIRONMENT

WEB = Path(importlib.import_module("reenact.web").__file__ or "").parent
PAGES = sorted(path.stem for path in (WEB / "pages").glob("[!_]*.py"))
TEMPLATES = sorted(path.name for path in (WEB / "templates").iterdir())


def page_of(name: str) -> type[msgspec.Struct]:
    """Return the page that a module declares."""
    module = importlib.import_module(f"reenact.web.pages.{name}")
    (found,) = (
        value
        for value in vars(module).values()
        if isinstance(value, type) and value.__name__.endswith("Page") and value.__module__ == module.__name__
    )
    assert issubclass(found, msgspec.Struct)
    return found


def used(template: str) -> set[str]:
    """Return the variables that a template and what it extends or includes read from the page."""
    tree = ENVIRONMENT.parse((WEB / "templates" / template).read_text())
    others = {name for name in jinja2.meta.find_referenced_templates(tree) if name and name != "_parts.html"}
    macros = {node.target for node in tree.find_all(nodes.Import)} | {node.name for node in tree.find_all(nodes.Macro)}
    return (jinja2.meta.find_undeclared_variables(tree) - macros) | {name for other in others for name in used(other)}


@pytest.mark.parametrize("name", PAGES)
def test_a_template_uses_only_its_page(name: str) -> None:
    """Every variable is a field of the page."""
    assert used(f"{name}.html") <= set(page_of(name).__struct_fields__)


@pytest.mark.parametrize("name", PAGES)
def test_a_page_has_no_field_in_vain(name: str) -> None:
    """Every field is used by the template."""
    assert set(page_of(name).__struct_fields__) <= used(f"{name}.html")


@pytest.mark.parametrize("name", [*PAGES, "frame"])
def test_every_field_is_explained(name: str) -> None:
    """A sentence stands beneath each field of a page."""
    page = Frame if name == "frame" else page_of(name)
    source = WEB / ("frame.py" if name == "frame" else f"pages/{name}.py")
    (declared,) = (
        node
        for node in ast.walk(ast.parse(source.read_text()))
        if isinstance(node, ast.ClassDef) and node.name == page.__name__
    )
    body = declared.body[1:]
    unexplained = [
        ast.unparse(node)
        for node, after in zip(body, [*body[1:], None], strict=True)
        if isinstance(node, ast.AnnAssign)
        and not (isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant))
    ]

    assert unexplained == []


def test_every_template_has_its_page() -> None:
    """Partials begin with a line; every other template belongs to a page."""
    assert {name for name in TEMPLATES if not name.startswith("_")} == {f"{name}.html" for name in PAGES}


@pytest.mark.parametrize("name", TEMPLATES)
def test_no_template_trusts_what_was_recorded(name: str) -> None:
    """No `safe`, no autoescape switched off, no inline style or script, no handler in an attribute."""
    content = (WEB / "templates" / name).read_text()

    ours = '<img class="picture" src="{{ piece.picture }}"'  # an address of this server, or what was looked at
    odd = r"\|\s*safe|autoescape|<style|\sstyle=|<script(?! src)|\son[a-z]+=|<img|<iframe"
    assert re.findall(odd, content.replace(ours, "")) == []


def test_no_html_in_python() -> None:
    """Tags stand in templates alone."""
    offences = [path.name for path in WEB.rglob("*.py") if re.search(r"['\"]\s*</?[a-z]+[ >]", path.read_text())]

    assert offences == []
