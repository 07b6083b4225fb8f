"""The benchmark database against a real PostgreSQL, started for these tests: ages of rows, and every refusal.

initdb does not run as root: then it runs as the system's user postgres, or nobody. Debian: apt-get install postgresql
"""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from toolkit.checks import questions
from toolkit.checks.finding import Finding
from toolkit.checks.runner import run
from toolkit.environments.model import Environment, Settings
from toolkit.environments.side_panel import BenchmarkDb, WatchedTable
from toolkit.secret import Secret
from toolkit.systems.connections import Connections

PASSWORD = "the-password-in-vault"
_BINARIES = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb")) or [
    Path(found) for found in [shutil.which("initdb")] if found
]
_AS = next((name for name in ("postgres", "nobody") if any(one.pw_name == name for one in pwd.getpwall())), "")
_WHY_NOT = (
    "there is no PostgreSQL here: apt-get install postgresql"
    if not _BINARIES
    else "root cannot run initdb, and neither setpriv nor an unprivileged user is here"
    if os.geteuid() == 0 and not (_AS and shutil.which("setpriv"))
    else ""
)
needs_postgres = pytest.mark.skipif(bool(_WHY_NOT), reason=f"PostgreSQL IS NOT TESTED: {_WHY_NOT}")


@dataclass
class Server:
    """`port` on loopback; the superuser's connections are trusted by a socket in `directory` alone."""

    directory: Path
    port: int

    def tell(self, *statements: str) -> None:
        with psycopg.connect(host=str(self.directory), port=self.port, user="postgres", dbname="bench") as connection:
            for one in statements:
                connection.execute(one)  # type: ignore[arg-type,unused-ignore]

    def part(self, *tables: WatchedTable, **more: Any) -> BenchmarkDb:
        found = {"address": f"127.0.0.1:{self.port}", "database": "bench", "vault_path": "bench", "sslmode": "prefer"}
        return BenchmarkDb(**{**found, "tables": tables or (WatchedTable("runs", "created_at"),), **more})


def _unprivileged(command: Sequence[str]) -> list[str]:
    if os.geteuid() != 0:
        return list(command)
    return ["setpriv", f"--reuid={_AS}", f"--regid={pwd.getpwnam(_AS).pw_gid}", "--clear-groups", *command]


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    binaries = _BINARIES[-1].parent
    # A short path: that of a socket may have about a hundred characters.
    with tempfile.TemporaryDirectory(prefix="pg-", ignore_cleanup_errors=True) as name:
        directory = Path(name)
        if os.geteuid() == 0:
            os.chown(directory, pwd.getpwnam(_AS).pw_uid, pwd.getpwnam(_AS).pw_gid)
        data = directory / "data"
        made = [str(binaries / "initdb"), "-D", str(data), "-U", "postgres", "--auth=trust", "--no-sync", "--locale=C"]
        subprocess.run(_unprivileged(made), check=True, capture_output=True, timeout=60, cwd="/")
        rules = "local all postgres trust\nhost bench reader 127.0.0.1/32 scram-sha-256\n"
        (data / "pg_hba.conf").write_text(rules)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        options = ["-p", str(port), "-k", str(directory), "-h", "127.0.0.1", "-F", "-c", "shared_buffers=8MB"]
        command = _unprivileged([str(binaries / "postgres"), "-D", str(data), *options])
        with (directory / "log").open("wb") as log:
            process = subprocess.Popen(command, stdout=log, stderr=log, cwd="/")
        try:
            found = Server(directory, port)
            _wait(lambda: psycopg.connect(host=name, port=port, user="postgres", dbname="postgres", autocommit=True))
            with psycopg.connect(host=name, port=port, user="postgres", dbname="postgres", autocommit=True) as admin:
                admin.execute("CREATE DATABASE bench")
                admin.execute(f"CREATE ROLE reader LOGIN PASSWORD '{PASSWORD}'")
            found.tell(
                "CREATE TABLE runs (created_at timestamptz)",
                "CREATE SCHEMA results",
                'CREATE TABLE results."Structures" (day date)',
                "CREATE TABLE naive (at timestamp)",
                "CREATE TABLE hidden (at timestamptz)",
                "CREATE TABLE words (at text)",
                "CREATE VIEW slow AS SELECT now() AS at FROM pg_sleep(30)",
                "GRANT USAGE ON SCHEMA results TO reader",
                'GRANT SELECT ON runs, naive, words, slow, results."Structures" TO reader',
            )
            yield found
        finally:
            process.terminate()
            process.wait(30)


def _wait(connect: Callable[[], Any]) -> None:
    import time

    end = time.monotonic() + 60
    while True:
        try:
            connect().close()
        except psycopg.OperationalError:
            if time.monotonic() > end:
                raise
            time.sleep(0.05)
        else:
            return


def asked(part: BenchmarkDb, password: str = PASSWORD) -> Finding:
    """The finding of the check, as `side-panel check` has it."""
    connections = Connections(Environment(name="x", benchmark_db=part), Settings())
    connections._benchmark_account = lambda: ("reader", Secret(password))  # type: ignore[method-assign]
    try:
        (finding,) = run([questions.check("benchmark-db", connections, {})])
    finally:
        connections.close()
    return finding


@needs_postgres
def test_the_age_of_the_newest_row(server: Server) -> None:
    now = datetime.now(UTC)
    server.tell(
        "TRUNCATE runs, naive",
        f"INSERT INTO runs VALUES ('{now - timedelta(days=3)}'), ('{now - timedelta(days=2)}')",
        f"INSERT INTO naive VALUES ('{now.replace(tzinfo=None) - timedelta(hours=5)}')",
        f'TRUNCATE results."Structures"; INSERT INTO results."Structures" VALUES (\'{now.date()}\')',
    )
    tables = (
        WatchedTable("runs", "created_at"),
        WatchedTable("naive", "at"),
        WatchedTable("results.Structures", "day"),
    )
    found = asked(server.part(*tables))
    assert str(found.status) == "ok", found
    newest = {row["table"]: datetime.fromisoformat(row["newest"]) for row in found.facts["tables"]}
    assert abs(newest["runs"] - (now - timedelta(days=2))) < timedelta(seconds=2)
    assert abs(newest["naive"] - (now - timedelta(hours=5))) < timedelta(seconds=2)
    assert newest["results.Structures"].date() == now.date()
    assert "runs: newest row 2d ago" in found.summary


@needs_postgres
def test_a_table_that_is_stale_and_one_without_rows(server: Server) -> None:
    server.tell(
        "TRUNCATE runs", f"INSERT INTO runs VALUES ('{datetime.now(UTC) - timedelta(days=9)}')", "TRUNCATE naive"
    )
    found = asked(server.part(WatchedTable("runs", "created_at"), WatchedTable("naive", "at")))
    assert str(found.status) == "fail"
    assert "runs: newest row 9d ago, more than 8 days" in found.summary
    assert "naive: has no row" in found.summary
    assert str(asked(server.part(WatchedTable("runs", "created_at", days=30))).status) == "ok"


@needs_postgres
@pytest.mark.parametrize(
    ("table", "words"),
    [
        (WatchedTable("hidden", "at"), "may not read hidden"),
        (WatchedTable("nothing", "at"), "nothing in bench cannot be asked for at"),
        (WatchedTable("runs", "no_column"), "runs in bench cannot be asked for no_column"),
        (WatchedTable("words", "at"), "its values are no times"),
        (WatchedTable('runs"; DROP TABLE runs; --', "created_at"), "cannot be asked"),
        (WatchedTable("slow", "at"), "did not say within 1 s which row is its newest"),
    ],
    ids=lambda value: value.table[:7] if isinstance(value, WatchedTable) else "",
)
def test_a_table_that_does_not_say(server: Server, table: WatchedTable, words: str) -> None:
    server.tell("TRUNCATE words", "INSERT INTO words VALUES ('yesterday')")
    found = asked(server.part(table, timeout_seconds=1))
    assert str(found.status) == "unknown", found
    assert words in found.summary
    assert found.hint
    assert found.by_hand[0].startswith("psql ")
    server.tell("SELECT 1 FROM runs")


@needs_postgres
@pytest.mark.parametrize(
    ("more", "password", "words"),
    [
        ({}, "another-password", "does not take the account"),
        ({"database": "postgres"}, PASSWORD, "lets nobody in from here: "),
        ({"sslmode": "require"}, PASSWORD, "speaks no TLS"),
    ],
)
def test_who_is_not_let_in_is_told_why(server: Server, more: dict[str, Any], password: str, words: str) -> None:
    found = asked(server.part(**more), password)
    assert str(found.status) == "unknown"
    assert words in found.summary
    assert found.hint
    assert PASSWORD not in f"{found}"
    if "database" in more:
        assert "no local access to it without a configome change" in found.summary


@contextmanager
def listening(answer: bytes | None) -> Iterator[int]:
    """A port that says `answer` to whoever connects; None: it takes the connection and says nothing."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        kept = []

        def serve() -> None:
            try:
                while True:
                    connection, _ = server.accept()
                    kept.append(connection)
                    if answer is not None:
                        connection.recv(64)
                        connection.sendall(answer)
                        connection.close()
            except OSError:
                pass

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)
        thread.join(10)
        for one in kept:
            one.close()


NOWHERE: dict[str, Any] = {
    "database": "bench",
    "tables": (WatchedTable("runs", "created_at"),),
    "sslmode": "prefer",
    "configome_key": "benchmark.local_access",
    "timeout_seconds": 2,
}


def test_no_local_access_is_said_as_such() -> None:
    found = asked(BenchmarkDb(address="127.0.0.1:1", **NOWHERE))
    assert str(found.status) == "unknown"
    assert "refused" in found.summary
    assert "There is no local access to it without a configome change." in found.summary
    assert "(benchmark.local_access)" in found.hint
    assert found.by_hand == ("psql 'host=127.0.0.1 port=1 dbname=bench sslmode=prefer' -c 'select now()'",)


def test_one_that_hangs() -> None:
    with listening(None) as port:
        found = asked(BenchmarkDb(address=f"127.0.0.1:{port}", **NOWHERE))
    assert str(found.status) == "unknown"
    assert "did not answer within 2 s. There is no local access" in found.summary


def test_something_else_that_answers() -> None:
    with listening(b"HTTP/1.1 400 Bad Request\r\n\r\n") as port:
        found = asked(BenchmarkDb(address=f"127.0.0.1:{port}", **NOWHERE))
    assert str(found.status) == "unknown"
    assert "is not PostgreSQL" in found.summary
    assert found.hint


def test_what_is_not_configured_is_calmly_not_asked() -> None:
    found = asked(BenchmarkDb())
    assert (str(found.status), found.facts["configured"]) == ("skipped", False)
    found = asked(BenchmarkDb(address="db.example:5432"))
    assert str(found.status) == "unknown"
    assert "benchmark_db.tables is empty" in found.summary
