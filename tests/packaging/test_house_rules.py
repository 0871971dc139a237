"""Rules of the house that no linter has: sizes, and how many places may catch everything."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
SOURCES = sorted((ROOT / "framerr").rglob("*.py"))


def functions(path: Path) -> Iterator[ast.FunctionDef]:
    return (node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.FunctionDef))


def ends_everything_here(handler: ast.ExceptHandler) -> bool:
    """It catches whatever comes, and does not raise it again after tidying up."""
    names = (
        {node.id for node in ast.walk(handler.type) if isinstance(node, ast.Name)} if handler.type else {"Exception"}
    )
    return bool(names & {"Exception", "BaseException"}) and not isinstance(handler.body[-1], ast.Raise)


def test_no_module_is_longer_than_400_lines() -> None:
    sizes = {str(path.relative_to(ROOT)): len(path.read_text().splitlines()) for path in SOURCES}
    assert {name: size for name, size in sizes.items() if size > 400} == {}


def test_no_function_is_longer_than_60_lines() -> None:
    """Migrations are generated, one call per table, and are exempt."""
    too_long = [
        f"{path.relative_to(ROOT)}:{function.lineno} {function.name}"
        for path in SOURCES
        if path.parent.name != "versions"
        for function in functions(path)
        if (function.end_lineno or function.lineno) - function.lineno + 1 > 60
    ]
    assert too_long == []


def test_only_the_job_runner_ends_every_error() -> None:
    """The web's catch-all is Flask's error handler; the delivery of notifications will be the third."""
    places = [
        str(path.relative_to(ROOT))
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ExceptHandler) and ends_everything_here(node)
    ]
    assert places == ["framerr/jobs/runner.py"]
