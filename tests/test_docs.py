"""What the documents say is so: commands, options, links and charts, held against the program."""

from __future__ import annotations

import os
import re
import shlex
import tomllib
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from bot.__main__ import cli
from bot.commands import NAMES
from bot.configuration import Configuration
from bot.model import Confirmation, Happening, Reply, Stage, Step, WriteBack, confirm, move, step
from bot.settings import Environment
from bot.web import routes
from integrations import registry
from integrations.base import Ability

ROOT = Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
REFERENCE = (ROOT / "docs" / "reference.md").read_text(encoding="utf-8")
ARCHITECTURE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
TEXT = (files("config") / "example.yaml").read_text(encoding="utf-8")
EXAMPLE: dict[str, Any] = yaml.safe_load(TEXT)


def name(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


every_page = pytest.mark.parametrize("page", PAGES, ids=name)


def blocks(page: Path, language: str = "sh") -> list[str]:
    return re.findall(rf"^ *```{language}\n(.*?)^ *```", page.read_text(encoding="utf-8"), re.M | re.S)


def prose(page: Path) -> str:
    """A page without its blocks of code."""
    return re.sub(r"^ *```.*?^ *```", "", page.read_text(encoding="utf-8"), flags=re.M | re.S)


def section(title: str) -> str:
    return REFERENCE.split(f"\n## {title}\n")[1].split("\n## ")[0]


def rows(title: str) -> list[list[str]]:
    """The cells of the table in a section of the reference, without its head."""
    lines = [line for line in section(title).splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines[2:]]


# --- README -----------------------------------------------------------------------------------------------------------


def test_readme_has_two_commands_from_nothing() -> None:
    """One installs everything and runs the demo, one installs everything and runs the tests: `.ci/run` runs both."""
    demo, tests = (block.strip() for block in blocks(ROOT / "README.md"))
    assert demo == "python3 -m venv .venv && .venv/bin/pip install . && .venv/bin/passerelle demo"
    assert tests == "python3 -m venv .venv && .venv/bin/pip install -e '.[dev]' && .venv/bin/pytest"
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert "passerelle" in project["scripts"]
    assert "dev" in project["optional-dependencies"]


def test_ci_runs_what_readme_says() -> None:
    """The commands are taken from README, not written a second time."""
    text = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert "install 1 " in text
    assert "install 2 " in text
    assert os.access(ROOT / ".ci" / "run", os.X_OK)


def test_the_platform_starts_what_there_is() -> None:
    """The Procfile's and the Dockerfile's command exists."""
    assert (ROOT / "Procfile").read_text(encoding="utf-8") == "web: passerelle run\n"
    assert 'CMD ["passerelle", "run"]' in (ROOT / "Dockerfile").read_text(encoding="utf-8")
    assert "run" in cli.commands


# --- every page -------------------------------------------------------------------------------------------------------


@every_page
def test_relative_links_lead_somewhere(page: Path) -> None:
    """Files exist, and so do the headings that a link names."""
    wrong = []
    for target in re.findall(r"\]\(([^)\s]+)\)", prose(page)):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, heading = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        if not file.exists() or (heading and heading not in headings(file)):
            wrong.append(target)
    assert wrong == []


def headings(page: Path) -> set[str]:
    found = re.findall(r"^#+ (.+)$", prose(page), re.M)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in found}


@every_page
def test_commands_exist(page: Path) -> None:
    """Every `passerelle …` that a page names can be typed, options included."""
    text = page.read_text(encoding="utf-8")
    named = re.findall(r"`passerelle ([^`\n]+)`", text)
    for block in blocks(page):
        named += re.findall(r"^(?:.*/)?passerelle (.+)$", block, re.M)
    for words in named:
        known(words)


def known(words: str) -> None:
    command: click.Command = cli
    for word in shlex.split(words.replace("[", " ").replace("]", " ")):
        if isinstance(command, click.Group):
            assert word in command.commands, f"there is no passerelle {words}"
            command = command.commands[word]
        elif word.startswith("-"):
            options = {option for each in command.params for option in each.opts}
            assert word in options, f"there is no {word} in passerelle {words}"


@every_page
def test_the_tone_is_calm(page: Path) -> None:
    """No exclamation marks in what people read."""
    text = re.sub(r"`[^`]*`|!\[", "", prose(page))
    assert "!" not in re.sub(r"<!--.*?-->", "", text, flags=re.S)


def test_decisions_are_numbered_without_gaps() -> None:
    """Each has its number, and says context, decision and consequences in 25 lines at most."""
    found = sorted((ROOT / "docs" / "decisions").glob("*.md"))
    assert [int(page.name[:4]) for page in found] == list(range(1, len(found) + 1))
    for number, page in enumerate(found, 1):
        text = page.read_text(encoding="utf-8")
        assert text.startswith(f"# {number}. ")
        assert text.count("\n") <= 25
        assert re.findall(r"^\*\*(\w+)\.\*\*", text, re.M) == ["Context", "Decision", "Consequences"]


# --- the reference ----------------------------------------------------------------------------------------------------


def paths(command: click.Command, before: tuple[str, ...] = ()) -> Iterator[tuple[str, click.Command]]:
    if isinstance(command, click.Group):
        for word, inner in command.commands.items():
            yield from paths(inner, (*before, word))
    else:
        yield " ".join(before), command


def test_every_command_and_option_is_documented() -> None:
    """The table of commands says all that can be typed."""
    first = " ".join(row[0] for row in rows("Commands"))
    documented = re.findall(r"`passerelle ([^`]+)`", first)
    for path, command in paths(cli):
        lines = [line for line in documented if f"{line} ".startswith(f"{path} ")]
        assert lines, f"passerelle {path} is not in docs/reference.md"
        for option in (each for each in command.params if isinstance(each, click.Option)):
            assert any(option.opts[-1] in line for line in lines), f"{path} {option.opts[-1]} is not documented"


def test_every_variable_is_documented() -> None:
    """The table of the environment names the variables that are read, with their defaults."""
    table = {row[0].strip("`"): row[2].strip("`") for row in rows("Environment")}
    fields = {field.upper(): value.default for field, value in Environment.model_fields.items()}
    assert set(table) == set(fields)
    for variable, default in fields.items():
        if variable.endswith(("_TOKEN", "_SECRET")):
            continue
        shown = default.get_secret_value() if hasattr(default, "get_secret_value") else str(default)
        assert table[variable] == shown


def options(value: Any, at: str = "") -> Iterator[str]:
    """The options of a configuration as the reference writes them."""
    if isinstance(value, dict) and not at.endswith((".fields", ".statuses")):  # whose keys are the reader's own
        for key, inner in value.items():
            named = "<name>" if at in ("trackers", "helpdesks") else key
            yield from options(inner, f"{at}.{named}" if at else named)
    elif isinstance(value, list) and value and isinstance(value[0], dict):
        for inner in value:
            yield from options(inner, f"{at}[]")
    else:
        yield at


def test_every_option_is_documented_and_in_the_example() -> None:
    """The reference's table and config/example.yaml hold the same options, and all that the program knows."""
    table = {row[0].strip("`") for row in rows("Configuration")}
    example = set(options(yaml.safe_load(TEXT.replace("#| ", ""))))  # with what is an alternative to something else
    assert table == example
    assert {option.split(".")[0].split("[")[0] for option in example} == set(Configuration.model_fields)
    for section_, adapters in (("trackers", registry.TRACKERS), ("helpdesks", registry.HELPDESKS)):
        for adapter in adapters.values():
            assert {f"{section_}.<name>.{field}" for field in adapter.config.model_fields} <= example


@pytest.mark.parametrize(
    ("option", "model"),
    [
        ("slack", "slack"),
        ("projects[]", "projects"),
        ("digests[]", "digests"),
        ("timing", "timing"),
        ("reminders", "reminders"),
    ],
)
def test_every_field_has_its_option(option: str, model: str) -> None:
    """What a section can hold is what the table names."""
    annotation = Configuration.model_fields[model].annotation
    inner = annotation if hasattr(annotation, "model_fields") else annotation.__args__[0]  # type: ignore[union-attr]
    table = [row[0].strip("`") for row in rows("Configuration")]
    named = {re.split(r"[.\[]", each.removeprefix(f"{option}."))[0] for each in table if each.startswith(f"{option}.")}
    assert named == set(inner.model_fields)  # type: ignore[union-attr]


def test_every_route_is_documented() -> None:
    """The table of HTTP routes is the web side's."""
    documented = {row[0].strip("`").split()[1].replace("<name>", "{name}") for row in rows("HTTP")}
    served = set(re.findall(r'Route\("([^"]+)"', Path(routes.__file__).read_text(encoding="utf-8")))
    assert documented == served


def test_every_comment_command_is_documented() -> None:
    """What a Support Dev can write in a comment is in the table."""
    documented = [re.findall(r"/([a-z-]+)", row[0])[0] for row in rows("In an issue's comments")]
    assert sorted(documented) == sorted(NAMES)


# --- helpdesks --------------------------------------------------------------------------------------------------------


def test_the_table_of_helpdesks_tells_what_each_can_do() -> None:
    """Each adapter's abilities, as it has them under the example's configuration, and no row or column besides."""
    lines = (ROOT / "docs" / "integrations" / "README.md").read_text(encoding="utf-8").splitlines()
    head, _, *table = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines if line.startswith("|")]
    told = {
        title: {row[1].strip("`") for row in table if row[column] == "yes"}
        for column, title in enumerate(head)
        if column > 1
    }
    entries = yaml.safe_load(TEXT.replace("#| ", ""))["helpdesks"]
    able = {}
    for kind, adapter in registry.HELPDESKS.items():
        (entry,) = [one for one in entries.values() if one["kind"] == kind]
        page = (ROOT / "docs" / "integrations" / f"{kind}.md").read_text(encoding="utf-8")
        title = page.splitlines()[0].removeprefix("# ")
        able[title] = {str(one) for one in adapter.make(kind, adapter.config.model_validate(entry), 1.0).abilities}
    assert told == able
    assert [row[1].strip("`") for row in table] == [str(one) for one in Ability]
    assert {cell for row in table for cell in row[2:]} == {"yes", "no"}


# --- the charts -------------------------------------------------------------------------------------------------------


def chart(title: str) -> set[tuple[str, str, str]]:
    drawn = ARCHITECTURE.split(f"<!-- chart: {title} -->")[1].split("```")[1]
    return set(re.findall(r"^ +(\w+) --> (\w+): (\w+)$", drawn, re.M))


def test_the_chart_of_stages_is_the_program_s() -> None:
    """Each arrow is a move, and each move is an arrow."""
    moves = {(stage, move(stage, happening), happening) for stage in Stage for happening in Happening}
    assert chart("stage") == {(str(a), str(b), str(by)) for a, b, by in moves if a is not b}


def test_the_chart_of_write_backs_is_the_program_s() -> None:
    """Each arrow is a step, and each step is an arrow."""
    steps = {(state, step(state, taken), taken) for state in WriteBack for taken in Step}
    assert chart("write_back") == {(str(a), str(b), str(by)) for a, b, by in steps if b is not None}


def test_the_chart_of_confirmations_is_the_program_s() -> None:
    """Each arrow is what an answer means, and the other way round."""
    steps = {(state, confirm(state, reply), reply) for state in Confirmation for reply in Reply}
    assert chart("confirmation") == {(str(a), str(b), str(by)) for a, b, by in steps if b is not None}


def test_each_case_of_shipping_has_its_test() -> None:
    """The table's last column names tests that exist."""
    page = (ROOT / "docs" / "shipping.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`(test_\w+)`", page))
    there = {
        name
        for path in (ROOT / "tests").rglob("test_*.py")
        for name in re.findall(r"^def (test_\w+)", path.read_text(encoding="utf-8"), re.MULTILINE)
    }
    assert len(named) > 40
    assert named - there == set()
