"""The house's shape, held by the imports and sizes of its files: what docs/architecture.md draws is so."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

FLOORS: tuple[frozenset[str], ...] = (
    frozenset(
        {
            "model",
            "clock",
            "cron",
            "texts",
            "reading",
            "redaction",
            "commands",
            "areas",
            "days",
            "periods",
            "similar",
            "logs",
            "telling",
            "changes",
        }
    ),
    frozenset({"duty", "reasons"}),
    frozenset({"hours"}),
    frozenset({"options"}),
    frozenset({"privacy", "shipping", "configuration"}),
    frozenset({"store", "settings", "issue_text"}),
    frozenset({"outbox", "reports"}),
    frozenset({"bridge", "exporting"}),
    frozenset({"slack"}),
    frozenset({"listing", "gallery"}),
    frozenset({"web"}),
    frozenset({"performers", "scheduler", "worker", "check"}),
    frozenset({"app"}),
    frozenset({"demo", "playing", "serve"}),
    frozenset({"script", "console"}),
    frozenset({"__main__"}),
)
"""The parts of `bot`, lowest first. A part imports from lower floors, never from its own or a higher one."""

BUILDERS = {"bot/app.py", "bot/demo.py", "bot/console.py"}
"""Who constructs adapters. Everybody else knows them by the roles of `integrations.base`."""

STAGE_HANDS = {"bot/demo.py", "bot/playing.py", "bot/script.py", "bot/telling.py"}
"""Who may touch the stand-ins."""

PURE = {
    "bot/model.py", "bot/shipping.py", "bot/privacy.py", "bot/redaction.py", "bot/commands.py", "bot/similar",
    "bot/texts.py", "bot/issue_text.py", "bot/cron.py", "bot/duty.py", "bot/hours.py", "bot/slack/views",
    "bot/changes.py", "bot/periods.py", "bot/areas.py",
}  # fmt: skip

HARMLESS = {
    "__future__", "apscheduler.triggers.cron", "babel", "babel.dates", "babel.lists", "babel.numbers", "bisect",
    "collections", "collections.abc", "dataclasses", "datetime", "enum", "fnmatch", "functools", "gettext", "importlib",
    "integrations.base", "itertools", "json", "math", "re", "snowballstemmer", "typing", "unicodedata", "urllib.parse",
    "zoneinfo",
}  # fmt: skip
"""What a pure module may use: no network, no store, no clock, no randomness. `importlib` reads the catalogues."""


def sources(*folders: str) -> list[Path]:
    """The Python files below these folders; migrations are generated, and follow another form."""
    found = [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]
    return [path for path in found if "migrations" not in path.parts]


def named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def imports(path: Path) -> Iterator[tuple[str, str]]:
    """Each import of a file as (module, name); `import x` has no name."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from ((alias.name, "") for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{named(path)} imports by dots"
            yield from ((node.module or "", alias.name) for alias in node.names)


def targets(path: Path) -> Iterator[str]:
    """The modules that a file imports, `from package import module` counted as the module."""
    for module, name in imports(path):
        inner = ROOT / module.replace(".", "/") / name
        yield f"{module}.{name}" if name and (inner.is_dir() or inner.with_suffix(".py").is_file()) else module


def part(module: str) -> str:
    """The part of `bot` that a dotted module belongs to."""
    return module.split(".")[1]


def floor(name: str) -> int:
    found = [index for index, names in enumerate(FLOORS) if name in names]
    assert found, f"bot/{name} stands on no floor: add it to FLOORS and to docs/architecture.md"
    return found[0]


def test_imports_point_one_way() -> None:
    """Each part of the bot imports from the floors below it only."""
    wrong = []
    for path in sources("bot"):
        own = part(".".join(path.relative_to(ROOT).with_suffix("").parts))
        if path.parent == ROOT / "bot" and path.stem == "__init__":
            continue
        for module in targets(path):
            if module.startswith("bot.") and part(module) != own and floor(part(module)) >= floor(own):
                wrong.append(f"{named(path)} imports {module}")
    assert wrong == []


def test_every_floor_has_its_parts() -> None:
    """No name stands in the drawing that the house does not have."""
    there = {path.stem for path in (ROOT / "bot").glob("*.py")} | {path.name for path in (ROOT / "bot").iterdir()}
    assert {name for names in FLOORS for name in names} - there == set()


def test_adapters_know_nothing_of_the_bot() -> None:
    """`integrations` could be taken out and used elsewhere: it never imports `bot`."""
    wrong = [
        named(path) for path in sources("integrations") for module in targets(path) if module.split(".")[0] == "bot"
    ]
    assert wrong == []


def test_the_bot_knows_services_by_their_roles() -> None:
    """Adapters are made in one place, and only the demo knows the stand-ins."""
    wrong = []
    for path in sources("bot"):
        for module in targets(path):
            if not module.startswith("integrations") or module in ("integrations.base", "integrations.meter"):
                continue
            allowed = module.startswith("integrations.sandbox") and named(path) in STAGE_HANDS
            if not allowed and not (module == "integrations.registry" and named(path) in BUILDERS):
                wrong.append(f"{named(path)} imports {module}")
    assert wrong == []


def test_pure_modules_do_no_input_or_output() -> None:
    """What decides and what renders can be tested with plain values: it imports nothing that reads or writes."""
    pure = [path for path in sources("bot") if named(path) in PURE or named(path.parent) in PURE]
    modules = {named(path.with_suffix("")).replace("/", ".") for path in pure}
    assert len(pure) > len(PURE)
    wrong = []
    for path in pure:
        for module in targets(path):
            if module not in HARMLESS and module not in modules:
                wrong.append(f"{named(path)} imports {module}")
    assert wrong == []


def test_only_the_store_knows_sql() -> None:
    """Queries stand in `bot/store`. A session that is handed on, and the store's errors, are everybody's."""
    wrong = []
    for path in sources("bot"):
        if "store" in path.parts:
            continue
        for module, name in imports(path):
            if module.split(".")[0] != "sqlalchemy" or module == "sqlalchemy.exc":
                continue
            if (module, name) != ("sqlalchemy.orm", "Session"):
                wrong.append(f"{named(path)} imports {module} {name}".strip())
    assert wrong == []


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def test_no_import_hides_in_a_function() -> None:
    """What a file needs stands at its top."""
    wrong = [
        f"{named(path)}: {function.name}"
        for path in sources("bot", "integrations")
        for function in functions(path)
        if any(isinstance(node, ast.Import | ast.ImportFrom) for node in ast.walk(function))
    ]
    assert wrong == []


def acts(node: ast.stmt) -> bool:
    """Whether a statement at a file's top level does something, beyond naming things."""
    if isinstance(node, ast.Expr):
        return not isinstance(node.value, ast.Constant)
    if isinstance(node, ast.If):
        return ast.unparse(node.test) != "__name__ == '__main__'"
    return isinstance(node, ast.For | ast.While | ast.With | ast.Try | ast.Assert | ast.Delete)


def test_nothing_happens_at_import() -> None:
    """A file's top level names things; only the command line's last lines do something."""
    files = sources("bot", "integrations")
    assert [f"{named(path)}:{node.lineno}" for path in files for node in tree(path).body if acts(node)] == []


def test_files_and_functions_stay_small() -> None:
    """No file over 400 lines, no function over 60."""
    wrong = []
    for path in sources("bot", "integrations"):
        lines = path.read_text(encoding="utf-8").count("\n")
        if lines > 400:
            wrong.append(f"{named(path)} has {lines} lines")
        for function in functions(path):
            length = (function.end_lineno or 0) - function.lineno + 1
            if length > 60:
                wrong.append(f"{named(path)}: {function.name} has {length} lines")
    assert wrong == []


@pytest.mark.parametrize("word", ["util", "helper", "manager"])
def test_names_say_what_a_thing_is(word: str) -> None:
    """A drawer for everything has no place here."""
    wrong = []
    for path in sources("bot", "integrations"):
        names = [node.name for node in ast.walk(tree(path)) if isinstance(node, ast.ClassDef | ast.FunctionDef)]
        wrong += [f"{named(path)}: {name}" for name in [path.stem, *names] if word in name.lower()]
    assert wrong == []
