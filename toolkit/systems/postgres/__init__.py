"""PostgreSQL through psycopg: the newest row of a table. Transactions are read-only, statements have a time limit."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from toolkit.errors import ConfigurationError, ToolkitError
from toolkit.systems.postgres.errors import misread, not_let_in

if TYPE_CHECKING:
    from toolkit.environments.side_panel import BenchmarkDb as Part
    from toolkit.environments.side_panel import WatchedTable
    from toolkit.secret import Secret

__all__ = ["Newest", "Postgres"]

_USUAL_PORT = 5432


@dataclass(frozen=True, slots=True)
class Newest:
    """The newest row of a table by `column`; None: it has no row."""

    table: str
    column: str
    newest: datetime | None


class Postgres:
    """The database that `part` names. `account` reads a user's name and password; both may be empty."""

    def __init__(self, part: Part, account: Callable[[], tuple[str, Secret | None]]) -> None:
        self.part = part
        self._account = account
        self.host, self.port = _host_and_port(part.address)

    def newest(self, tables: Sequence[WatchedTable]) -> dict[str, Newest | ToolkitError]:
        """The newest row of each table, or why it cannot be told. Raises ToolkitError where nobody is let in."""
        import psycopg
        from psycopg import sql

        found: dict[str, Newest | ToolkitError] = {}
        try:
            connection = psycopg.connect(**self._settings(), autocommit=True)
        except psycopg.Error as error:
            raise not_let_in(error, self.part, self.by_hand()) from error
        with connection:
            for one in tables:
                asked = sql.SQL("SELECT max({column}) FROM {table}").format(
                    column=sql.Identifier(one.column), table=sql.Identifier(*one.table.split("."))
                )
                try:
                    row = connection.execute(asked).fetchone()
                    found[one.table] = Newest(one.table, one.column, _moment(row[0] if row else None))
                except (psycopg.Error, TypeError) as error:
                    found[one.table] = misread(error, one, self.part, self.by_hand(one))
                    if connection.closed:
                        raise not_let_in(error, self.part, self.by_hand()) from error
        return found

    def by_hand(self, table: WatchedTable | None = None) -> str:
        """`psql`, which asks for the password by itself."""
        words = f"host={self.host} port={self.port} dbname={self.part.database} sslmode={self.part.sslmode}"
        asked = "select now()"
        if table is not None:
            asked = f'select max("{table.column}") from {table.table}'  # noqa: S608 - to be read and typed by a person
        return shlex.join(["psql", words, "-c", asked])

    def _settings(self) -> dict[str, Any]:
        """libpq's parameters: all that variables of the person at this machine could say otherwise."""
        part = self.part
        user, password = self._account()
        limit = int(part.timeout_seconds * 1000)
        found: dict[str, Any] = {
            "host": self.host,
            "port": self.port,
            "dbname": part.database,
            "sslmode": part.sslmode,
            "gssencmode": "disable",
            "connect_timeout": max(2, round(part.timeout_seconds)),
            "tcp_user_timeout": limit,
            "client_encoding": "utf8",
            "application_name": "mapapp-toolkit",
            "options": f"-c default_transaction_read_only=on -c statement_timeout={limit} -c TimeZone=UTC",
        }
        if user:
            found["user"] = user
        if password is not None:
            found["password"] = password.reveal()
        if part.ca_file:
            found["sslrootcert"] = str(Path(part.ca_file).expanduser())
        elif part.sslmode == "verify-full":
            found["sslrootcert"] = "system"
        return found


def _host_and_port(address: str) -> tuple[str, int]:
    if not address:
        raise ConfigurationError(
            "Where the benchmark database is, is not configured: benchmark_db.address is empty.",
            hint="Set it, with benchmark_db.database and .tables; it lets nobody in without a configome change.",
        )
    host, colon, port = address.rpartition(":")
    if not colon:
        return address, _USUAL_PORT
    if not host or not port.isdecimal():
        raise ConfigurationError(
            f"benchmark_db.address is {address!r}, which is no host:port.", hint="Write it like db.example.com:5432."
        )
    return host.strip("[]"), int(port)


def _moment(value: Any) -> datetime | None:
    """A timestamp without a zone is in UTC, as the session is; a date is its first moment."""
    if value is None:
        return None
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=UTC)
    if isinstance(value, date):
        return datetime.combine(value, time(), UTC)
    raise TypeError(f"its values are no times ({type(value).__name__})")
