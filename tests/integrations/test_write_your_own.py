"""docs/integrations/write-your-own.md keeps its word: its example is an adapter, plugs in, and passes the suite."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from integrations import registry
from integrations.base import Helpdesk

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "docs" / "integrations" / "example"
PAGE = (ROOT / "docs" / "integrations" / "write-your-own.md").read_text(encoding="utf-8")


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The example as an installed package: its modules, and the entry points that its pyproject.toml names."""
    project = tomllib.loads((EXAMPLE / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    about = tmp_path / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
    about.mkdir()
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n")
    points = "".join(
        f"[{group}]\n" + "".join(f"{name} = {target}\n" for name, target in named.items())
        for group, named in project["entry-points"].items()
    )
    (about / "entry_points.txt").write_text(points)
    monkeypatch.syspath_prepend(str(EXAMPLE))
    monkeypatch.syspath_prepend(str(tmp_path))


@pytest.mark.usefixtures("installed")
def test_the_example_plugs_in_by_its_entry_point() -> None:
    """Named in the configuration, it is there; the entry is checked by its own model."""
    adapter = registry.helpdesk("pigeon")
    entry = {"kind": "pigeon", "url": "https://acme.pigeon.example/inbox", "token": "x"}
    desk: Helpdesk = adapter.make("pigeon", adapter.config.model_validate(entry), 1.0)
    assert desk.number_in("https://acme.pigeon.example/inbox/4211") == "4211"
    with pytest.raises(ValueError, match=r"must look like https://acme\.pigeon\.example"):
        registry.helpdesk_config("pigeon").model_validate(entry | {"url": "pigeon"})


def test_what_is_not_installed_is_told_with_what_there_is() -> None:
    """A kind that nobody brings."""
    with pytest.raises(LookupError, match="zammad, zendesk"):
        registry.helpdesk("pigeon")


def test_the_example_passes_the_contract_suite() -> None:
    """In a run of its own, as its author would start it."""
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-c", os.devnull, "--rootdir", ".", "-p", "no:cacheprovider"],
        cwd=EXAMPLE,
        env={**os.environ, "PYTHONPATH": f"{EXAMPLE}:{ROOT}", "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert run.returncode == 0, run.stdout[-3000:]
    assert int(re.findall(r"(\d+) passed", run.stdout)[0]) > 90


def test_the_page_shows_the_example_as_it_is() -> None:
    """Each piece of code on the page stands in the example, letter for letter."""
    example = "\n".join(path.read_text(encoding="utf-8") for path in sorted(EXAMPLE.glob("*.*")) if path.is_file())
    shown = re.findall(r"^ *```(?:python|toml)\n(.*?)^ *```", PAGE, re.M | re.S)
    assert len(shown) > 5
    assert [piece for piece in shown if piece not in example] == []
