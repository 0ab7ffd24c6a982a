"""The project's own Python sources, parsed once, for the house rules to look at."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PRODUCT = ("payments", "services", "simulator", "bench", "wsgi.py", "migrations")


@cache
def parsed(*tops: str) -> dict[Path, ast.Module]:
    """Return every module under the given top-level names, by path relative to the root."""
    return {
        path.relative_to(ROOT): ast.parse(path.read_text("utf-8"))
        for top in tops
        for path in sorted([ROOT / top] if top.endswith(".py") else (ROOT / top).rglob("*.py"))
        if path.exists()
    }


def functions(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Yield every function of a module, nested ones too."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def dotted(node: ast.expr) -> str:
    """Return `a.b.c` for an attribute chain, and the empty string for anything else."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        head = dotted(node.value)
        return f"{head}.{node.attr}" if head else ""
    return ""


def calls(tree: ast.Module) -> Iterator[str]:
    """Yield the dotted name of every call that has one."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield dotted(node.func)


def imports(tree: ast.Module) -> Iterator[str]:
    """Yield every module a module imports."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
