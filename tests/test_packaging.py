"""What the wheel carries: every package, every file that is read at run time, every library that is imported."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
OURS = ("bot", "integrations", "config")


def project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


def files() -> list[Path]:
    there = [path.relative_to(ROOT) for name in OURS for path in (ROOT / name).rglob("*") if path.is_file()]
    return [path for path in there if "__pycache__" not in path.parts]


def test_every_package_is_listed() -> None:
    """A module outside the list would be missing from the wheel alone."""
    listed = project()["tool"]["setuptools"]["packages"]
    there = {".".join(path.parent.parts) for path in files() if path.suffix == ".py"}
    assert sorted(listed) == sorted(there)


def test_every_file_that_is_no_module_is_carried() -> None:
    """The demo's page and story, the configurations, the migrations' template."""
    patterns = [
        (Path(*package.split(".")), pattern)
        for package, several in project()["tool"]["setuptools"]["package-data"].items()
        for pattern in several
    ]
    carried = {path.relative_to(ROOT) for folder, pattern in patterns for path in (ROOT / folder).glob(pattern)}
    assert {path for path in files() if path.suffix != ".py"} == carried


def test_every_imported_library_is_required() -> None:
    """What comes by chance, with another library or with the tests, is not there on a fresh machine."""
    required = {_name(one) for one in project()["project"]["dependencies"]}
    required |= {"pydantic-core"}  # pydantic names the very version that it needs
    required |= {"pytest"}  # of integrations.testing, whose readers have it
    by_module = packages_distributions()
    missing = {
        f"{path}: {module}"
        for path in files()
        if path.suffix == ".py"
        for module in _imported(path)
        if module not in sys.stdlib_module_names and module not in OURS
        if not required & {_name(one) for one in by_module.get(module, [])}
    }
    assert missing == set()


def _name(requirement: str) -> str:
    found = re.match(r"[\w.-]+", requirement)
    assert found
    return re.sub(r"[-_.]+", "-", found[0]).lower()


def _imported(path: Path) -> set[str]:
    tree = ast.parse((ROOT / path).read_text())
    names = [alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]
    names += [node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    return {name.partition(".")[0] for name in names}
