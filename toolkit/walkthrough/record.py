"""The record of all cases: SQLite in the user's state directory, one transaction a move.

A process that is killed loses nothing that was said before: what is written is on the disk before the walk goes on.
Everything is scrubbed of secrets on its way in.
"""

from __future__ import annotations

import getpass
import json
import secrets
import socket
import sqlite3
import threading
import weakref
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from toolkit import paths
from toolkit.errors import Failed, NotFound, Refused
from toolkit.secret import scrub
from toolkit.walkthrough.case import Case, Event, Origin, Result, Spot, State, StepRecord
from toolkit.walkthrough.page import Runbook, Step

if TYPE_CHECKING:
    from toolkit.walkthrough.bundle_reading import Bundle

_SCHEMA = """
create table if not exists cases (
    id text primary key, runbook text not null, title text not null, symptom text not null,
    environment text not null, who text not null, started text not null, ended text, result text,
    inputs text not null, here text, trail text not null, moves integer not null);
create table if not exists pages (
    case_id text not null, name text not null, text text not null, primary key (case_id, name));
create table if not exists steps (
    case_id text not null, runbook text not null, step text not null, title text not null, state text not null,
    note text not null, visits integer not null, opened text not null, closed text,
    primary key (case_id, runbook, step));
create table if not exists events (
    seq integer primary key autoincrement, case_id text not null, time text not null, runbook text not null,
    step text not null, visit integer not null, kind text not null, content text not null);
create table if not exists origins (
    case_id text primary key, digest text not null unique, from_case text not null, from_who text not null,
    toolkit text not null, made text not null, came text not null);
create index if not exists events_of on events (case_id, seq);
"""


class Record:
    """The cases in `file` (default: the user's state directory). Safe for several processes."""

    def __init__(self, file: Path | None = None) -> None:
        self.file = file or paths.state() / "cases.sqlite"
        self._db: sqlite3.Connection | None = None
        self._lock = threading.RLock()

    def begin(self, runbook: Runbook, environment: str) -> Case:
        """A new case, at the runbook's first step."""
        case = Case(
            id=secrets.token_hex(4),
            runbook=runbook.name,
            title=runbook.title,
            symptom=runbook.symptom,
            environment=environment,
            who=_me(),
            started=datetime.now(UTC),
            here=(runbook.name, runbook.steps[0].name),
        )
        with self._writing() as db:
            db.execute(
                "insert into cases values (?, ?, ?, ?, ?, ?, ?, null, null, '{}', ?, '[]', 0)",
                (case.id, case.runbook, case.title, case.symptom, environment, case.who, _time(case.started),
                 json.dumps(case.here)),
            )  # fmt: skip
            db.execute("insert into pages values (?, ?, ?)", (case.id, runbook.name, scrub(runbook.text)))
        return case

    def take_over(self, bundle: Bundle) -> tuple[Case, bool]:
        """A colleague's case as a new one of one's own, its history marked as theirs; whether it is new here.

        A bundle that came before is the case it became then; one of a case that began here is that case.
        """
        theirs = bundle.case
        for case in self.cases():
            if (case.id, case.started, case.who) == (theirs.id, theirs.started, theirs.who):
                return case, False
        with self._writing() as db:
            row = db.execute("select case_id from origins where digest = ?", (bundle.digest,)).fetchone()
            new = row is None
            name = secrets.token_hex(4) if new else str(row["case_id"])
            if new:
                _insert(db, name, bundle)
        return self.case(name), new

    def cases(self) -> list[Case]:
        """All cases, the newest first."""
        with self._reading() as db:
            rows = db.execute(
                "select cases.*, digest, from_case, from_who, toolkit, made, came from cases"
                " left join origins on case_id = id order by coalesce(came, started) desc, cases.rowid desc"
            )
            return [_case(row) for row in rows]

    def case(self, prefix: str) -> Case:
        """The case whose id starts with `prefix`. Raises NotFound where there is none, or more than one."""
        found = [case for case in self.cases() if case.id.startswith(prefix)]
        if len(found) != 1 or not prefix:
            what = "No case" if not found else f"{len(found)} cases"
            raise NotFound(f"{what} begin with {prefix!r}.", hint="`toolkit runbook resume` shows their ids.")
        return found[0]

    def steps(self, case: str) -> list[StepRecord]:
        """The case's opened steps, in the order in which they were first opened."""
        with self._reading() as db:
            rows = db.execute("select * from steps where case_id = ? order by rowid", (case,))
            return [
                StepRecord(
                    row["runbook"], row["step"], row["title"], State(row["state"]), row["note"], row["visits"],
                    datetime.fromisoformat(row["opened"]),
                    datetime.fromisoformat(row["closed"]) if row["closed"] else None,
                )
                for row in rows
            ]  # fmt: skip

    def events(self, case: str) -> list[Event]:
        """All that happened in a case, the oldest first."""
        with self._reading() as db:
            rows = db.execute("select * from events where case_id = ? order by seq", (case,))
            return [
                Event(
                    row["seq"], datetime.fromisoformat(row["time"]), row["runbook"], row["step"], row["visit"],
                    row["kind"], json.loads(row["content"]),
                )
                for row in rows
            ]  # fmt: skip

    def page(self, case: str, name: str) -> str | None:
        """The text of a runbook as this case has it; None where it did not come to that one yet."""
        with self._reading() as db:
            row = db.execute("select text from pages where case_id = ? and name = ?", (case, name)).fetchone()
            return str(row["text"]) if row else None

    def pages(self, case: str) -> dict[str, str]:
        """The texts of the runbooks that the case came to: those of all of its steps, and of its own."""
        with self._reading() as db:
            rows = db.execute(
                "select name, text from pages where case_id = ?1 and (name in (select runbook from steps where"
                " case_id = ?1) or name in (select runbook from cases where id = ?1)"
                " or name = (select json_extract(here, '$[0]') from cases where id = ?1)) order by name",
                (case,),
            )
            return {str(row["name"]): str(row["text"]) for row in rows}

    def keep_page(self, case: str, runbook: Runbook) -> None:
        with self._writing() as db:
            db.execute("insert or ignore into pages values (?, ?, ?)", (case, runbook.name, scrub(runbook.text)))

    def know(self, case: Case, inputs: Mapping[str, str], environment: str | None = None) -> Case:
        """Keep what is now known: inputs and answers, and the environment once it is."""
        with self._writing() as db:
            row = db.execute("select inputs from cases where id = ?", (case.id,)).fetchone()
            known = {**json.loads(row["inputs"]), **inputs}
            db.execute("update cases set inputs = ? where id = ?", (scrub(json.dumps(known)), case.id))
            if environment is not None:
                db.execute("update cases set environment = ? where id = ?", (environment, case.id))
        return self.case(case.id)

    def open(self, case: Case, step: Step) -> int:
        """The step where the case is has been opened; gives back its visit, counted from 1.

        One that is open still (its process was killed, or was left) is the same visit, resumed.
        """
        runbook, name = _here(case)
        with self._writing() as db:
            row = db.execute(
                "select state, visits from steps where case_id = ? and runbook = ? and step = ?",
                (case.id, runbook, name),
            ).fetchone()
            again = row is not None and row["state"] in (State.OPEN, State.STUCK)
            visit = 1 if row is None else row["visits"] + (0 if again else 1)
            db.execute(
                "insert into steps values (?, ?, ?, ?, 'open', '', ?, ?, null) on conflict do update set"
                " state = 'open', note = '', visits = excluded.visits, closed = null",
                (case.id, runbook, name, step.title, visit, _time()),
            )
            _note(db, case.id, (runbook, name), visit, "resumed" if again else "opened", {"title": step.title})
        return visit

    def note(self, case: Case, visit: int, kind: str, content: Mapping[str, Any]) -> None:
        """Something happened in the step where the case is."""
        with self._writing() as db:
            _note(db, case.id, _here(case), visit, kind, content)

    def move(
        self,
        case: Case,
        visit: int,
        state: State,
        note: str,
        *,
        here: Spot | None,
        trail: tuple[Spot, ...],
        result: Result | None = None,
    ) -> Case:
        """The step is closed as `state`, and the case is at `here` (None: it has ended, with `result`): at once.

        Raises Refused where another program has led this case on meanwhile.
        """
        spot = _here(case)
        ended = _time() if here is None else None
        with self._writing() as db:
            moved = db.execute(
                "update cases set here = ?, trail = ?, ended = ?, result = ?, moves = moves + 1"
                " where id = ? and moves = ?",
                (json.dumps(here) if here else None, json.dumps(trail), ended, result, case.id, case.moves),
            )
            if moved.rowcount != 1:
                raise Refused(
                    f"Case {case.id} was led on by another program meanwhile.",
                    hint=f"`toolkit runbook resume {case.id}` goes on from where it is now.",
                )
            db.execute(
                "update steps set state = ?, note = ?, closed = ? where case_id = ? and runbook = ? and step = ?",
                (state, scrub(note), None if state is State.OPEN else _time(), case.id, *spot),
            )
            _note(db, case.id, spot, visit, "closed", {"state": state, "note": note})
        return self.case(case.id)

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        try:
            with self._lock:
                yield self._open_file()
        except (sqlite3.Error, OSError) as error:
            raise Failed(
                f"The record of cases {self.file} cannot be used: {error}.",
                hint="Make room or mend the permissions; a damaged file can be moved away, its cases are then gone.",
            ) from error

    def _open_file(self) -> sqlite3.Connection:
        if self._db is None:
            self.file.touch(mode=0o600)
            db = sqlite3.connect(self.file, timeout=10, isolation_level=None, check_same_thread=False)
            weakref.finalize(self, db.close)
            db.row_factory = sqlite3.Row
            db.execute("pragma journal_mode = wal")
            db.executescript(_SCHEMA)
            self._db = db
        return self._db

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with self._reading() as db:
            db.execute("begin immediate")
            try:
                yield db
            except BaseException:
                db.execute("rollback")
                raise
            db.execute("commit")


def _insert(db: sqlite3.Connection, name: str, bundle: Bundle) -> None:
    """All of a colleague's case, under a new name."""
    case = bundle.case
    db.execute(
        "insert into cases values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0)",
        (name, case.runbook, scrub(case.title), scrub(case.symptom), case.environment, _me(), _time(case.started),
         _time(case.ended) if case.ended else None, case.result, scrub(json.dumps(case.inputs)),
         json.dumps(case.here) if case.here else None, json.dumps(case.trail)),
    )  # fmt: skip
    db.execute(
        "insert into origins values (?, ?, ?, ?, ?, ?, ?)",
        (name, bundle.digest, case.id, bundle.who, bundle.toolkit, _time(bundle.made), _time()),
    )
    db.executemany(
        "insert into pages values (?, ?, ?)", [(name, page, scrub(text)) for page, text in bundle.pages.items()]
    )
    db.executemany(
        "insert or replace into steps values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [(name, one.runbook, one.step, one.title, one.state, scrub(one.note), one.visits, _time(one.opened),
          _time(one.closed) if one.closed else None) for one in bundle.steps],
    )  # fmt: skip
    for event in bundle.events:
        content = {**event.content, "by": event.by or case.who}
        _note(db, name, (event.runbook, event.step), event.visit, event.kind, content, event.time)


def _me() -> str:
    return f"{getpass.getuser()}@{socket.gethostname()}"


def _note(
    db: sqlite3.Connection,
    case: str,
    spot: Spot,
    visit: int,
    kind: str,
    content: Mapping[str, Any],
    time: datetime | None = None,
) -> None:
    text = scrub(json.dumps(content, default=str))
    db.execute(
        "insert into events (case_id, time, runbook, step, visit, kind, content) values (?, ?, ?, ?, ?, ?, ?)",
        (case, _time(time), *spot, visit, kind, text),
    )


def _here(case: Case) -> Spot:
    if case.here is None:
        raise Refused(f"Case {case.id} has ended.", hint=f"`toolkit runbook report {case.id}` shows how.")
    return case.here


def _time(moment: datetime | None = None) -> str:
    return (moment or datetime.now(UTC)).isoformat(timespec="milliseconds")


def _case(row: sqlite3.Row) -> Case:
    here = json.loads(row["here"]) if row["here"] else None
    return Case(
        id=row["id"],
        runbook=row["runbook"],
        title=row["title"],
        symptom=row["symptom"],
        environment=row["environment"],
        who=row["who"],
        started=datetime.fromisoformat(row["started"]),
        ended=datetime.fromisoformat(row["ended"]) if row["ended"] else None,
        result=Result(row["result"]) if row["result"] else None,
        inputs=json.loads(row["inputs"]),
        here=(here[0], here[1]) if here else None,
        trail=tuple((spot[0], spot[1]) for spot in json.loads(row["trail"])),
        moves=row["moves"],
        origin=_origin(row) if row["digest"] else None,
    )


def _origin(row: sqlite3.Row) -> Origin:
    made, came = datetime.fromisoformat(row["made"]), datetime.fromisoformat(row["came"])
    return Origin(row["from_case"], row["from_who"], row["toolkit"], made, came)
