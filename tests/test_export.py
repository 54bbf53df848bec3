"""`passerelle export --csv`: everything as tables that a spreadsheet reads, and does nothing but read."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import structlog
from click.testing import CliRunner, Result

from bot import exporting
from bot.__main__ import cli
from bot.exporting import CAUSE, CUSTOMER, ESCALATION, TIME, Table, cell
from tests.conftest import REPO, START, House

REFERENCE = Path(__file__).parents[1] / "docs" / "reference.md"
Export = Callable[..., list[dict[str, str]]]


def run(house: House, *arguments: str) -> Result:
    env = {**house.environ, "PASSERELLE_CONFIG": str(house.folder / "passerelle.yaml")}
    return CliRunner(env=env).invoke(cli, ["export", *arguments], prog_name="passerelle")


@pytest.fixture
def export(house: House) -> Iterator[Export]:
    """Runs the command as the house's operator, and reads the table that it wrote."""

    def ask(*arguments: str) -> list[dict[str, str]]:
        result = run(house, "--csv", *arguments)
        assert result.exit_code == 0, result.output
        return list(csv.DictReader(io.StringIO(result.stdout_bytes.decode("utf-8"), newline="")))

    yield ask
    structlog.reset_defaults()


def played(house: House) -> None:
    """Ana's issue is labelled, taken, mended and written of; Ben's, two hours younger, waits. The table is made on the
    next day."""
    house.flag(title="=HYPERLINK(“evil”)")
    house.github.label(REPO, 1, "leo-dev", ["component:vat", "needs, design"])
    house.pass_time(hours=1)
    house.press("U0LEO", "acknowledge", "C0SUPPORTDEV")
    house.pass_time(hours=1)
    house.flag("U0BEN", "4212", title="TVA danoise à 25 %", kind="tooling")
    house.mend(number=1)
    house.pass_time(hours=1)
    house.press("U0ANA", "mark_written")
    house.clock.advance(timedelta(days=1))


def test_each_escalation_is_a_line(house: House, export: Export) -> None:
    """With its ticket, its issue, who has it, and when it came by each milestone."""
    played(house)
    first, second = export()
    assert tuple(first) == ESCALATION
    assert (first["helpdesk"], first["ticket"], first["project"], first["repository"], first["issue"]) == (
        "zendesk",
        "4211",
        "shop",
        REPO,
        "1",
    )
    assert (first["stage"], first["kind"], first["severity"], first["agent"]) == ("shipped", "bug", "normal", "U0ANA")
    assert set(first["labels"].split(", ")) == {"from-support", "component:vat", "needs", "design"}
    assert (first["components"], first["agent_name"], first["write_backs"]) == ("vat", "Ana Moreau", "shipped:written")
    times = [first[f"{name}_at"] for name in ("flagged", "acknowledged", "fixed", "shipped", "told", "written")]
    assert times[0] == START.isoformat()
    assert times == sorted(times)
    assert [datetime.fromisoformat(one).tzinfo for one in times] == [UTC] * 6
    assert datetime.fromisoformat(times[1]) - START == timedelta(hours=1)
    assert (first["declined_at"], first["confirmed_at"]) == ("", "")
    assert (second["ticket"], second["title"], second["kind"]) == ("4212", "TVA danoise à 25 %", "tooling")
    assert [second[f"{name}_at"] for name in ("acknowledged", "shipped", "told", "written")] == [""] * 4


def test_what_the_customer_said_of_it_is_a_word(house: House, export: Export) -> None:
    """Waited for, answered, and then what they meant by that."""

    def said() -> tuple[str, bool]:
        [line] = export()
        return line["confirmed"], bool(line["confirmed_at"])

    house.flag()
    house.mend()
    house.pass_time(minutes=3)
    assert said() == ("", False)
    assert house.write_back(reply="Bonjour Camille, c’est corrigé.") == {}
    house.pass_time(minutes=3)
    assert said() == ("waiting", False)
    house.zendesk.customer_writes("4211", "Toujours pareil.")
    house.pass_time(minutes=3)
    assert said() == ("answered", False)
    house.press("U0ANA", "still_broken")
    assert house.submit(text="Toujours pareil.") == {}
    assert said() == ("still_broken", True)


def test_told_is_when_somebody_first_was(house: House, export: Export) -> None:
    """Ana heard at once; that Ben has it now, three hours later, is no delay in telling."""
    house.flag()
    house.mend()
    [before] = export()
    house.pass_time(hours=3)
    house.press("U0ANA", "hand_over")
    assert house.submit(to="U0BEN") == {}
    [after] = export()
    assert (after["agent"], after["told_at"]) == ("U0BEN", before["told_at"])


def test_customers_leave_on_request_alone(house: House, export: Export) -> None:
    """Neither their names nor their words stand in the table; with `--customers` their names do."""
    house.flag()
    ticket = house.zendesk.ticket("4211")
    found = export()[0]
    assert not set(CUSTOMER) & set(found)
    named = export("--customers")[0]
    assert "@" in named["customer_email"]
    for private in (named["customer"], named["customer_email"], ticket["comments"][0]["body"][:30]):
        assert private not in str(found)
    assert ticket["comments"][0]["body"][:30] not in str(named)


def test_a_title_is_no_formula(house: House, export: Export) -> None:
    """A spreadsheet shows it as it was typed, and computes nothing."""
    house.flag(title='=HYPERLINK("https://evil.example","Click")')
    assert export()[0]["title"] == """'=HYPERLINK("https://evil.example","Click")"""


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\rone", "\none", "  =1+1", "＝1+1", "\0=1"])
def test_what_a_spreadsheet_computes_is_defused(text: str) -> None:
    """Each beginning that makes a formula of a text."""
    assert cell(text) == f"'{text}"


@pytest.mark.parametrize("value", ["VAT = 25 %", "4211", "", "TVA à 25 %", -3, 2.5, None])
def test_other_cells_stay_as_they_are(value: exporting.Cell) -> None:
    """Also numbers below zero, which are no texts."""
    assert cell(value) == value


def test_lines_are_written_as_they_come() -> None:
    """Nothing waits for the end of the table: the memory does not grow with it."""
    out, seen = io.BytesIO(), list[int]()

    def rows() -> Iterator[list[exporting.Cell]]:
        for number in range(2_000):
            seen.append(out.tell())
            yield [number, "x" * 50]

    exporting.write(out, Table(("n", "x"), rows()))
    assert seen[1_000] > 20_000
    assert out.getvalue().decode().splitlines()[-1] == f"1999,{'x' * 50}"


def test_causes_as_a_table(house: House, export: Export) -> None:
    """A line for each area and week; the label that Passerelle puts on every issue is no area."""
    played(house)
    found = export("--causes", "--since", "2026-02-23", "--until", "2026-03-04")
    assert tuple(found[0]) == CAUSE
    areas = {(line["dimension"], line["area"]) for line in found}
    assert areas == {("project", "shop"), ("component", "vat"), ("label", "needs, design"), ("tooling", "")}
    vat = [line for line in found if line["area"] == "vat"]
    assert [(line["period_begins"], line["tickets"], line["whole"]) for line in vat] == [
        ("2026-02-23T00:00:00+00:00", "0", "yes"),
        ("2026-03-02T00:00:00+00:00", "1", "no"),
    ]
    assert {line["first_issue"] for line in found if line["dimension"] == "tooling"} == {house.issue(2)["html_url"]}
    assert {
        line["period_begins"]
        for line in export("--causes", "--by", "month", "--since", "2026-02-23", "--until", "2026-03-04")
    } == {
        "2026-02-01T00:00:00+00:00",
        "2026-03-01T00:00:00+00:00",
    }


def test_times_as_a_table(house: House, export: Export) -> None:
    """Each step in clock time and in working time, in seconds."""
    played(house)
    found = {
        (line["from"], line["to"], line["time"]): line
        for line in export("--times", "--since", "2026-03-01", "--until", "2026-03-09")
    }
    assert tuple(next(iter(found.values()))) == TIME
    taken = found["flagged", "acknowledged", "clock"]
    assert (taken["n"], taken["p50_seconds"], taken["under_4h"], taken["unit"]) == ("1", "3600", "1", "customers")
    assert found["told", "written", "working"]["n"] == "1"
    assert int(found["told", "written", "working"]["p50_seconds"]) >= 3600
    assert (found["written", "confirmed", "clock"]["n"], found["written", "confirmed", "clock"]["p50_seconds"]) == (
        "0",
        "",
    )


def test_only_one_project(house: House, export: Export) -> None:
    """Its key is checked, as `list` does."""
    house.flag()
    assert len(export("--project", "shop")) == 1
    result = run(house, "--csv", "--project", "shopp")
    assert (result.exit_code, "is not one of shop" in result.stderr) == (2, True)


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--csv", "--causes", "--times"],
        ["--csv", "--times", "--customers"],
        ["--csv", "--since", "2026-01-01"],
        ["--csv", "--times", "--since", "2026-03-02", "--until", "2026-03-02"],
    ],
)
def test_what_makes_no_sense_is_said(house: House, arguments: list[str]) -> None:
    """Wrong usage is exit 2, with a sentence, and nothing on the output."""
    result = run(house, *arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "leave" in result.stderr or "belongs" in result.stderr or "--" in result.stderr


@pytest.mark.parametrize("day", ["1.11.2026", "2026-11-1", "2026-02-30", "yesterday", ""])
def test_what_is_no_day_is_told_how_to_write_one(house: House, day: str) -> None:
    """In words, not in a pattern for programmers."""
    result = run(house, "--csv", "--causes", "--since", day)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "Write a day as 2026-11-01." in result.stderr
    assert "%" not in result.stderr


def test_every_column_is_in_the_reference() -> None:
    """A name that is not explained is none that somebody can rely on."""
    text = REFERENCE.read_text(encoding="utf-8")
    missing = [name for name in (*ESCALATION, *CUSTOMER, *CAUSE, *TIME) if f"`{name}`" not in text]
    assert missing == []
