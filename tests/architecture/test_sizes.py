"""Files and functions stay small enough to be read at once."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("services", "workers", "feeds", "templates", "tests", "benchmarks")
TEXTS = {".py", ".html", ".css", ".js", ".sql", ".txt"}
NOT_READ = (
    "tests/vendor/",
    "tests/data/",
    "templates/static/vendor/",
    "services/storage/migrations/versions/",  # history: written once, whole, and never edited
)
MAX_FILE_LINES = 400
MAX_FUNCTION_LINES = 60


def sources(*suffixes: str) -> Iterator[Path]:
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*")):
            name = path.relative_to(ROOT).as_posix()
            if path.suffix in suffixes and not name.startswith(NOT_READ) and "__pycache__" not in name:
                yield path


def functions(path: Path) -> Iterator[tuple[str, int]]:
    """Each function's name and length in lines, its decorators not counted."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name, (node.end_lineno or node.lineno) - node.lineno + 1


def test_no_file_is_longer_than_four_hundred_lines() -> None:
    lengths = {p: len(p.read_text(encoding="utf-8").splitlines()) for p in sources(*TEXTS)}
    too_long = [f"{p.relative_to(ROOT)}: {n} lines" for p, n in lengths.items() if n > MAX_FILE_LINES]
    assert not too_long


def test_no_function_is_longer_than_sixty_lines() -> None:
    too_long = [
        f"{path.relative_to(ROOT)}: {name} has {lines} lines"
        for path in sources(".py")
        for name, lines in functions(path)
        if lines > MAX_FUNCTION_LINES
    ]
    assert not too_long
