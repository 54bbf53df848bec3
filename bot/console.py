"""What the commands share: the environment, the configuration, the store, and how a failure is told."""

from __future__ import annotations

import os
import sqlite3
import sys
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec

import click
from sqlalchemy.exc import SQLAlchemyError

from bot import check as checks, logs, settings
from bot.model import UserError
from bot.reading import SettingsError
from bot.store.database import Store
from integrations import registry
from integrations.base import Finding

WRONG = 2
"""Exit code: wrong usage or configuration."""


P = ParamSpec("P")


def plainly(command: Callable[P, None]) -> Callable[P, None]:
    """A failure is one sentence with the next step: exit 2 for the configuration, 1 for the rest."""

    @wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            command(*args, **kwargs)
        except SettingsError as error:
            click.echo(checks.render(error.findings), err=True)
            sys.exit(WRONG)
        except UserError as error:
            click.echo(str(error), err=True)
            sys.exit(1)
        except SQLAlchemyError as error:
            found = unusable(error)
            click.echo(f"{found.where}: {found.problem}. {found.mend}", err=True)
            sys.exit(1)

    return run


def unusable(error: SQLAlchemyError) -> Finding:
    """What keeps the database from being worked with."""
    cause = getattr(error, "orig", None)
    why = cause if isinstance(cause, sqlite3.Error) else type(error).__name__
    mend = "Name Passerelle's own file, in a folder where it may write; a damaged file comes back from a backup."
    return Finding("DATABASE_URL", f"the database cannot be used ({why})", mend)


def load() -> settings.Settings:
    """The configuration. Raises SettingsError."""
    return settings.load(None, os.environ, registry.tracker_config, registry.helpdesk_config)


def read_environment() -> settings.Environment:
    """What the environment says; logs are written as it wants them. Raises SettingsError."""
    environment = settings.Environment.read(os.environ)
    if "://" not in environment.database_url.get_secret_value():
        mend = "Write sqlite:/// before the file's path: sqlite:///passerelle.db, or sqlite:////data/passerelle.db."
        raise SettingsError([Finding("DATABASE_URL", "is not the address of a database", mend)])
    if not environment.database_url.get_secret_value().startswith("sqlite"):
        mend = "Use a file of SQLite's, such as sqlite:///passerelle.db; PostgreSQL comes with a later version."
        raise SettingsError([Finding("DATABASE_URL", "this version works on SQLite alone", mend)])
    logs.configure(environment.log_format, environment.log_level)
    return environment


def open_store(environment: settings.Environment, *, ready: bool = True) -> Store:
    """The store; `ready`: one that this version can work on. Raises UserError."""
    store = Store(environment.database_url.get_secret_value())
    if ready and store.missing:  # looking into it would make an empty one
        raise UserError(
            "There is no database at {path}. Set DATABASE_URL to where it is, or make one: `passerelle migrate`.",
            path=store.engine.url.database,
        )
    problem = store.schema_problem() if ready else ""
    if problem:
        raise UserError("{problem}", problem=problem[0].upper() + problem[1:] + ".")
    return store
