"""The command line."""

from __future__ import annotations

import io
import json
import os
import signal
import sys
import threading
import webbrowser
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime, time
from pathlib import Path
from typing import Any

import click
from sqlalchemy.exc import SQLAlchemyError

from bot import check as checks, exporting, listing, logs, outbox, settings
from bot.app import Passerelle, helpdesks, trackers
from bot.clock import Clock
from bot.configuration import Project
from bot.console import WRONG, load, open_store, plainly, read_environment, unusable
from bot.demo import play
from bot.model import Stage, UserError
from bot.periods import By, written_day
from bot.reading import SettingsError
from bot.script import tell
from bot.serve import serve
from bot.store import overview, queries, rota
from bot.store.database import Store
from bot.store.scope import Scope
from bot.store.tables import Effect
from integrations.base import Finding


class Day(click.ParamType[datetime]):
    """A day, in UTC."""

    name = "day"

    def convert(self, value: str | datetime, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        if isinstance(value, datetime):
            return value
        try:
            return datetime.combine(written_day(value), time(), UTC)
        except ValueError:
            self.fail(f"'{value}' is no day. Write a day as 2026-11-01.", param, ctx)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="passerelle")
def cli() -> None:
    """Carries support tickets to issues, and the news back to the customer."""


@cli.command()
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8000,
    show_default=True,
    help="Where the demo page is served; 0 takes a free one.",
)
@click.option("--no-browser", is_flag=True, help="Do not open the page in a browser.")
@click.option(
    "--tickets",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="JSON lines {subject, body, customer: {name, email}, language?} instead of the story's tickets.",
)
@click.option("--script", is_flag=True, help="Play the whole loop in the terminal and exit.")
@plainly
def demo(port: int, no_browser: bool, tickets: Path | None, script: bool) -> None:
    """Play with the real bot; no account is needed."""
    if script and tickets:
        raise click.UsageError("--script plays the story's own tickets: leave --tickets away.")
    logs.configure("text", "ERROR" if script else "WARNING")  # what the script waits for, it tells itself
    if script:
        with play(tickets) as (sandbox, bot):
            tell(sandbox, bot)
        return
    with play(tickets, port) as (sandbox, _):
        click.echo(f"Demo: {sandbox.page_url}")
        click.echo("Stop it with Ctrl+C. Everything in it is thrown away then.")
        if not no_browser:
            webbrowser.open(sandbox.page_url)
        _until_interrupted()


def _until_interrupted() -> None:
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda _signal, _frame: stop.set())
    try:
        while not stop.wait(1.0):
            pass
    except KeyboardInterrupt:
        click.echo("")


@cli.command()
@plainly
def run() -> None:
    """Run everything in one process: Slack, web and worker."""
    read_environment()
    loaded = load()
    bot = Passerelle(loaded)
    if bot.store.embedded:
        bot.store.migrate()
        for stray in _strays(loaded, bot.store):
            click.echo(checks.render([stray]), err=True)
    elif problem := bot.store.schema_problem():
        raise UserError("{problem}", problem=problem[0].upper() + problem[1:] + ".")
    serve(bot, port=loaded.environment.port)


@cli.command()
@plainly
def migrate() -> None:
    """Bring the database to this version's schema."""
    store = open_store(read_environment(), ready=False)
    store.migrate()
    click.echo("The database is ready.")


@cli.command()
@click.option("--offline", is_flag=True, help="Only read the configuration; ask no service.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@click.option("--mend", is_flag=True, help="First add missing webhooks and switch stopped ones on, where it may.")
@plainly
def check(offline: bool, as_json: bool, mend: bool) -> None:
    """Say what is wrong with the configuration or a service, and what to mend."""
    if offline and mend:
        raise click.UsageError("--offline asks no service, and --mend has to: leave one of them out.")
    show = checks.as_json if as_json else checks.render
    try:
        read_environment()
        loaded = load()
    except SettingsError as error:
        click.echo(show(error.findings))
        sys.exit(WRONG)
    served = trackers(loaded)

    def findings() -> list[Finding]:
        return checks.check(loaded, served, helpdesks(loaded), lambda: _database(loaded), offline=offline)

    def mended() -> list[Finding]:
        for line in checks.mend_hooks(loaded, served):
            click.echo(line, err=as_json)
        return findings()

    found = mended() if mend else findings()
    click.echo(show(found))
    asked = loaded.config.web and any(each.hook for each in found) and not (mend or as_json) and sys.stdin.isatty()
    if asked and click.confirm("Shall Passerelle mend the webhooks now?"):
        found = mended()
        click.echo(show(found))
    sys.exit(1 if found else 0)


def _database(loaded: settings.Settings) -> list[Finding]:
    store = Store(loaded.environment.database_url.get_secret_value())
    try:
        if store.missing and not os.access(store.folder, os.W_OK):
            mend = "Make that folder, or let Passerelle's user write in it."
            return [Finding("DATABASE_URL", "its folder is not there, or not one that Passerelle may write in", mend)]
        problem = "" if store.embedded else store.schema_problem()
        if problem or store.missing or (store.embedded and store.schema_problem()):
            return [Finding("DATABASE_URL", problem, "Run `passerelle migrate`.")] if problem else []
        return [*_strays(loaded, store), *_refused(loaded, store)]
    except SQLAlchemyError as error:
        return [unusable(error)]
    finally:
        store.close()


def _strays(loaded: settings.Settings, store: Store) -> list[Finding]:
    """Issues that wait in a place which the configuration does not name any more: nobody would hear of their end."""
    places = {(one.key, one.tracker, one.repository) for one in loaded.config.projects}
    with store.read() as session:
        found = queries.strays(session, places)
    return [
        Finding(
            "projects",
            f"{count} open issues belong to the project {key} ({repository} on {tracker}), which is not configured so",
            "Name that project again as it was, until its issues are settled.",
        )
        for key, tracker, repository, count in found
    ]


def _refused(loaded: settings.Settings, store: Store) -> list[Finding]:
    """User groups that Slack did not let the bot keep in step."""
    with store.read() as session:
        refused = rota.refused(session, "group")
    return [
        Finding(
            f"projects[{index}].duty.group",
            f"Slack does not let the bot change the user group {project.duty.group} ({refused[key]})",
            "Let apps change user groups (workspace settings, Permissions), or take `group` out.",
        )
        for index, project in enumerate(loaded.config.projects)
        if project.duty and (key := f"group:{project.duty.group}") in refused
        if "missing_scope" not in refused[key]  # told already
    ]


@cli.command("list")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@click.option("--stage", type=click.Choice([stage.value for stage in Stage]), help="Only issues at this stage.")
@click.option("--project", default="", metavar="KEY", help="Only this project's.")
@plainly
def list_(as_json: bool, stage: str | None, project: str) -> None:
    """List the escalations."""
    with open_store(read_environment()).read() as session:
        if project:
            _known(project, overview.projects(session))
        found = overview.escalations(session, Stage(stage) if stage else None, project)
        names = overview.names(session, (one.agent for one in found))
    click.echo(json.dumps([listing.as_json(one) for one in found]) if as_json else listing.listed(found, names))


def _known(project: str, stored: list[str]) -> None:
    """A project may have no issues yet, or have left the configuration: either place will do."""
    known = set(stored)
    with suppress(SettingsError):  # without a configuration, the store alone knows
        known.update(one.key for one in load().config.projects)
    if project not in known:
        there = f"is not one of {', '.join(sorted(known))}" if known else "is not there, and neither is any other"
        raise click.BadParameter(f"{project!r} {there}.", param_hint="'--project'")


@cli.command()
@click.argument("reference", metavar="ID")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@plainly
def show(reference: str, as_json: bool) -> None:
    """Show one escalation with its history.

    ID is an escalation's id, its ticket's number or address, or its issue's (acme/shop#1).
    """
    store = open_store(read_environment())
    projects: tuple[Project, ...] = ()
    with suppress(SettingsError):  # without a configuration, what is waited for is told in general
        projects = load().config.projects
    click.echo(listing.show(store, projects, Clock().now(), reference, for_programs=as_json))


@cli.command()
@click.option("--csv", "as_csv", is_flag=True, help="As comma-separated values, in UTF-8. There is no other form.")
@click.option("--causes", is_flag=True, help="Tickets by area and period, instead of the escalations.")
@click.option("--times", is_flag=True, help="How long each step took, instead of the escalations.")
@click.option("--customers", is_flag=True, help="With the customers' names, addresses, plans and languages.")
@click.option("--project", default="", metavar="KEY", help="Only this project's.")
@click.option("--since", type=Day(), help="Of causes and times: from this day on, in UTC.")
@click.option("--until", type=Day(), help="Of causes and times: until before this day.")
@click.option("--by", type=click.Choice(["week", "month"]), default="week", help="Of causes: how long a period is.")
@plainly
def export(
    *,
    as_csv: bool,
    causes: bool,
    times: bool,
    customers: bool,
    project: str,
    since: datetime | None,
    until: datetime | None,
    by: str,
) -> None:
    """Write all escalations, or what was made of them, as a table."""
    if not as_csv:
        raise click.UsageError("Say --csv: there is no other form.")
    if causes and times:
        raise click.UsageError("--causes and --times are two tables: leave one of them out.")
    if customers and (causes or times):
        raise click.UsageError("--customers belongs to the escalations: the other tables name no customers.")
    if (since or until) and not (causes or times):
        raise click.UsageError("--since and --until belong to --causes and --times: the escalations are all of them.")
    store, config = open_store(read_environment()), None
    last = until or Clock().now()
    first = since or last - exporting.BACK
    if first >= last:
        raise click.UsageError("--since has to be before --until.")
    with suppress(SettingsError):  # without a configuration, the default hours hold, and every label counts
        config = load().config
    with store.read() as session:
        if project:
            _known(project, overview.projects(session))
        wanted, asked = Scope(projects=(project,) if project else ()), exporting.Asked(config)
        if causes:
            table = asked.caused(session, wanted, first, last, By(by))
        elif times:
            table = asked.took(session, wanted, first, last)
        else:
            table = asked.escalations(session, wanted, customers=customers)
        exporting.write(sys.stdout.buffer, table)


@cli.group("outbox")
def outbox_group() -> None:
    """Calls to the outside world that are not done yet, and those given up."""


@outbox_group.command("list")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@plainly
def outbox_list(as_json: bool) -> None:
    """List what is not done yet, dead letters first."""
    with open_store(read_environment()).read() as session:
        rows = overview.effects(session)
    if as_json:
        click.echo(json.dumps([_effect(effect) for effect in rows]))
        return
    if not rows:
        click.echo("Nothing is waiting.")
    for effect in rows:
        reason = f" · {effect.error}" if effect.error else ""
        click.echo(f"{effect.id}  {effect.state.value}  {effect.key}  tries {effect.attempts}{reason}")


def _effect(effect: Effect) -> Mapping[str, Any]:
    return {
        "id": effect.id,
        "key": effect.key,
        "kind": effect.kind,
        "state": effect.state.value,
        "attempts": effect.attempts,
        "next_at": effect.next_at.isoformat(),
        "error": effect.error,
    }


def _change(effect_id: int, as_json: bool, act: Callable[..., Effect], sentence: str) -> None:
    with open_store(read_environment()).write() as session:
        effect = act(session, Clock(), effect_id)
        session.flush()
    click.echo(json.dumps(_effect(effect)) if as_json else sentence.format(key=effect.key))


@outbox_group.command("retry")
@click.argument("effect_id", type=int, metavar="ID")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@plainly
def outbox_retry(effect_id: int, as_json: bool) -> None:
    """Try one again, after looking whether its last try took effect."""
    _change(effect_id, as_json, outbox.retry, "{key} is due again: `passerelle run` takes it up within a second.")


@outbox_group.command("drop")
@click.argument("effect_id", type=int, metavar="ID")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@plainly
def outbox_drop(effect_id: int, as_json: bool) -> None:
    """Decide that one is not needed any more."""
    _change(effect_id, as_json, outbox.drop, "{key} is dropped.")


def main() -> None:
    """The console script's entry. A terminal that cannot show a character gets a question mark in its place."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    cli(prog_name="passerelle")


if __name__ == "__main__":
    main()
