"""Sizes, names and docstrings: what makes the tree legible."""

import ast

from tests.architecture.sources import PRODUCT, ROOT, functions, parsed

LONGEST_FILE = 300
LONGEST_FUNCTION = 50
REFUSED_NAMES = {"utils", "helpers", "common", "misc", "manager", "base", "util", "lib"}


def test_files_are_short() -> None:
    lengths = {
        str(path): len((ROOT / path).read_text("utf-8").splitlines()) for path in parsed(*PRODUCT)
    }
    too_long = {path: lines for path, lines in lengths.items() if lines > LONGEST_FILE}
    assert not too_long, f"make each a folder of the same name, split like its siblings: {too_long}"


def test_functions_are_short() -> None:
    too_long = {
        f"{path}:{function.lineno} {function.name}": (function.end_lineno or 0) - function.lineno
        for path, tree in parsed(*PRODUCT).items()
        for function in functions(tree)
        if (function.end_lineno or 0) - function.lineno >= LONGEST_FUNCTION
    }
    assert not too_long, f"say what the parts do by naming them: {too_long}"


def test_names_say_what_is_inside() -> None:
    refused = [str(path) for path in parsed(*PRODUCT, "tests") if path.stem in REFUSED_NAMES]
    assert not refused, f"name it after what it holds: {refused}"


def test_every_package_says_what_it_is() -> None:
    silent = [
        str(path)
        for path, tree in parsed("payments", "services", "simulator").items()
        if path.name == "__init__.py" and not ast.get_docstring(tree)
    ]
    assert not silent, f"one paragraph: what it is, what it may lean on: {silent}"


def test_the_readme_fits_two_screens() -> None:
    lines = (ROOT / "README.md").read_text("utf-8").splitlines()
    assert len(lines) <= 110, "move what is not needed on the first day to docs/"
