"""Opening the database: transactions that mean what they say on SQLite and PostgreSQL, and the schema's version."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.orm import Session, sessionmaker


class Store:
    """One database. `write()` commits at its end and wakes whoever waits on `committed`; `read()` sees one state."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.engine = _engine(url)
        self.committed = threading.Condition()
        self._reader = sessionmaker(self.engine, expire_on_commit=False)
        self._writer = sessionmaker(self.engine.execution_options(writes=True), expire_on_commit=False)

    @property
    def embedded(self) -> bool:
        """Whether the database is a file of this machine's own, which `run` migrates by itself."""
        return self.url.startswith("sqlite")

    @property
    def missing(self) -> bool:
        """Whether the database is a file that is not there."""
        file = self.engine.url.database
        return self.embedded and file not in (None, "", ":memory:") and not Path(str(file)).exists()

    @property
    def folder(self) -> Path:
        """Where an embedded database's file is, or is made."""
        return Path(str(self.engine.url.database)).parent

    @contextmanager
    def write(self, *, wake: bool = True) -> Iterator[Session]:
        """A transaction that may write. `wake`: whoever waits on `committed` should look; a claim wakes nobody, or idle
        workers would keep each other awake."""
        with self._writer.begin() as session:
            yield session
        if wake:
            with self.committed:
                self.committed.notify_all()

    @contextmanager
    def read(self) -> Iterator[Session]:
        with self._reader() as session:
            yield session

    def migrate(self) -> None:
        """Bring the schema to this version's."""
        if self._revision() == _head():
            return
        with self.engine.execution_options(writes=True).begin() as connection:
            config = _alembic()
            config.attributes["connection"] = connection
            command.upgrade(config, "head")

    def schema_problem(self) -> str:
        """Why this version cannot work on this database, or "" when it can."""
        current, head = self._revision(), _head()
        if current == head:
            return ""
        return f"the database is at version {current or 'none'}, this program needs {head}: run `passerelle migrate`"

    def _revision(self) -> str | None:
        with self.engine.connect() as connection:
            return MigrationContext.configure(connection).get_current_revision()

    def close(self) -> None:
        self.engine.dispose()


@cache
def _head() -> str | None:
    """The version that this program needs: read once, from all migrations."""
    return ScriptDirectory.from_config(_alembic()).get_current_head()


def _alembic() -> Config:
    config = Config()
    config.set_main_option("script_location", str(files("bot.store") / "migrations"))
    return config


def _engine(url: str) -> sa.Engine:
    if not url.startswith("sqlite"):
        return sa.create_engine(url, pool_pre_ping=True)
    memory = url in ("sqlite://", "sqlite:///:memory:")
    options: dict[str, Any] = {"poolclass": sa.StaticPool} if memory else {"pool_size": 20, "max_overflow": 20}
    arguments = {"isolation_level": None, "check_same_thread": False, "timeout": 30}
    engine = sa.create_engine(url, connect_args=arguments, **options)

    @sa.event.listens_for(engine, "connect")
    def _prepare(connection: Any, _record: Any) -> None:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=FULL")
            connection.execute("PRAGMA busy_timeout=30000")
            connection.execute("PRAGMA foreign_keys=ON")
        except sqlite3.Error as error:
            raise sa.exc.DatabaseError("PRAGMA", None, error) from error  # as SQLAlchemy tells all others

    @sa.event.listens_for(engine, "begin")
    def _begin(connection: sa.Connection) -> None:
        # A deferred transaction that turns into a writer fails at once when another one wrote meanwhile.
        writes = connection.get_execution_options().get("writes")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine
