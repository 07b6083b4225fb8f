"""The record of every change: append-only, one JSON object a line, each chained to the one before by SHA-256.

Before an action is applied an entry `opened` is written, afterwards `closed` with the outcome; an operation without
its `closed` was interrupted. A small file beside the journal holds the last entry's hash, so that lines taken off
the end are noticed too. The chain shows tampering and damage; it cannot stop someone who rewrites all of it.
"""

from __future__ import annotations

import contextlib
import getpass
import hashlib
import json
import os
import socket
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from filelock import FileLock

from toolkit import paths
from toolkit.actions.plan import Outcome, Plan
from toolkit.errors import Failed, NotFound
from toolkit.secret import scrub

_START = "0" * 64


@dataclass(frozen=True)
class Entry:
    """One line of the journal. `operation` joins an `opened` with its `closed`."""

    seq: int
    time: datetime
    kind: str
    operation: str
    who: str
    environment: str
    action: str
    plan: str
    content: Mapping[str, Any]
    hash: str


@dataclass(frozen=True)
class Operation:
    """An action that was started, with its outcome as far as the journal knows it.

    `result` is done, partial, failed or error; "running" while its process lives, "interrupted" when that died.
    """

    operation: str
    started: datetime
    ended: datetime | None
    who: str
    environment: str
    action: str
    title: str
    plan: str
    result: str
    summary: str
    undo: tuple[str, ...]
    left: tuple[str, ...]


@dataclass(frozen=True)
class Problem:
    """A place where the chain does not hold; `line` counts from 1 (0: the journal as a whole)."""

    line: int
    what: str


class Journal:
    """The journal in `directory` (default: the user's state directory). Safe for several processes."""

    def __init__(self, directory: Path | None = None) -> None:
        directory = directory or paths.state()
        self.file = directory / "journal.jsonl"
        self._head = directory / "journal.head"
        self._open = directory / "journal.open"
        self._lock = FileLock(directory / "journal.lock", timeout=10)

    def opened(self, plan: Plan) -> str:
        """Write that `plan` is about to be applied; gives back the operation's id."""
        operation = uuid.uuid4().hex[:12]
        self._open.mkdir(exist_ok=True, mode=0o700)
        (self._open / operation).write_text(str(os.getpid()), "utf-8")
        self._append("opened", operation, plan, plan.document())
        return operation

    def closed(self, operation: str, plan: Plan, outcome: Outcome) -> None:
        """Write what became of it."""
        content = {
            "result": str(outcome.result),
            "summary": outcome.summary,
            "undo": list(outcome.undo),
            "left": list(outcome.left),
        }
        self._append("closed", operation, plan, content)
        (self._open / operation).unlink(missing_ok=True)

    def failed(self, operation: str, plan: Plan, problem: BaseException) -> None:
        """Write that applying it ended in an error; what was changed until then is not known here."""
        content = {"result": "error", "summary": f"{type(problem).__name__}: {problem}", "undo": [], "left": []}
        self._append("closed", operation, plan, content)
        (self._open / operation).unlink(missing_ok=True)

    def entries(self) -> Iterator[Entry]:
        """All readable entries, oldest first; a damaged line is passed over (`verify` names it)."""
        for _, item in self._lines():
            if item is not None:
                with contextlib.suppress(KeyError, TypeError, ValueError):
                    yield _entry(item)

    def operations(self) -> list[Operation]:
        """All operations, oldest first."""
        found: dict[str, tuple[Entry, Entry | None]] = {}
        for entry in self.entries():
            if entry.kind == "opened":
                found[entry.operation] = (entry, None)
            elif entry.operation in found:
                found[entry.operation] = (found[entry.operation][0], entry)
        return [self._operation(start, end) for start, end in found.values()]

    def operation(self, prefix: str) -> tuple[Operation, Mapping[str, Any]]:
        """The operation whose id starts with `prefix`, with its plan as it was written down."""
        matches = [item for item in self.operations() if item.operation.startswith(prefix)]
        if len(matches) != 1:
            what = "No operation" if not matches else f"{len(matches)} operations"
            raise NotFound(
                f"{what} in the journal begin with {prefix!r}.", hint="`toolkit journal list` shows their ids."
            )
        for entry in self.entries():
            if entry.kind == "opened" and entry.operation == matches[0].operation:
                return matches[0], entry.content
        raise NotFound(f"The journal has no plan for {prefix!r}.")

    def unfinished(self) -> list[Operation]:
        """Operations that were started and whose process died before it wrote the outcome. Cheap when there is none."""
        if not self._open.is_dir() or not any(self._open.iterdir()):
            return []
        return [item for item in self.operations() if item.result == "interrupted"]

    def settle(self, operation: Operation) -> None:
        """Write that a person has looked after an interrupted operation; it is not shown as unfinished any more."""
        plan = next(e for e in self.entries() if e.operation == operation.operation)
        content = {"result": "settled", "summary": "Looked after by hand.", "undo": [], "left": []}
        self._write("closed", operation.operation, plan.environment, plan.action, plan.plan, content)
        (self._open / operation.operation).unlink(missing_ok=True)

    def verify(self) -> list[Problem]:
        """Every place where the chain does not hold; empty when the journal is as it was written."""
        problems = []
        previous, seq = _START, 0
        for number, item in self._lines():
            if item is None:
                problems.append(Problem(number, "this line cannot be read"))
                continue
            claimed = item.get("hash")
            if _digest(item) != claimed:
                problems.append(Problem(number, "this line was changed after it was written"))
            if item.get("previous") != previous:
                problems.append(Problem(number, "a line before this one was changed, removed or added"))
            if item.get("seq") != seq + 1:
                problems.append(Problem(number, f"entry {seq + 1} is missing here"))
            previous, seq = str(claimed), int(item.get("seq") or 0)
        head = self._read_head()
        if head is not None and head != (seq, previous):
            problems.append(
                Problem(0, f"the last entry was {head[0]} ({head[1][:8]}), now it is {seq} ({previous[:8]})")
            )
        if head is None and seq:
            problems.append(
                Problem(0, f"{self._head.name} is missing: whether lines were taken off the end is not known")
            )
        return problems

    def _append(self, kind: str, operation: str, plan: Plan, content: Mapping[str, Any]) -> None:
        self._write(kind, operation, plan.environment, plan.action, plan.hash, content)

    def _write(
        self, kind: str, operation: str, environment: str, action: str, plan: str, content: Mapping[str, Any]
    ) -> None:
        try:
            with self._lock:
                head = self._read_head() or self._recovered_head()
                item: dict[str, Any] = {
                    "seq": head[0] + 1,
                    "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
                    "kind": kind,
                    "operation": operation,
                    "who": f"{getpass.getuser()}@{socket.gethostname()}",
                    "environment": environment,
                    "action": action,
                    "plan": plan,
                    "content": json.loads(scrub(json.dumps(content))),
                    "previous": head[1],
                }
                item["hash"] = _digest(item)
                self._write_line(json.dumps(item, ensure_ascii=False, separators=(",", ":")))
                temporary = self._head.with_suffix(".new")
                temporary.write_text(f"{item['seq']} {item['hash']}\n", "utf-8")
                temporary.replace(self._head)
        except OSError as error:
            raise Failed(
                f"The journal {self.file} cannot be written: {error.strerror}.",
                hint="Nothing is changed without a record: make room or mend the permissions, then try again.",
            ) from error

    def _write_line(self, line: str) -> None:
        descriptor = os.open(self.file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            start = b"" if self._ends_with_newline() else b"\n"
            os.write(descriptor, start + line.encode() + b"\n")
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def _ends_with_newline(self) -> bool:
        with self.file.open("rb") as file:
            if file.seek(0, os.SEEK_END) == 0:
                return True
            file.seek(-1, os.SEEK_END)
            return file.read(1) == b"\n"

    def _lines(self) -> Iterator[tuple[int, dict[str, Any] | None]]:
        if not self.file.exists():
            return
        with self.file.open(encoding="utf-8", errors="replace") as file:
            for number, line in enumerate(file, 1):
                try:
                    item = json.loads(line)
                except ValueError:
                    item = None
                yield number, item if isinstance(item, dict) else None

    def _read_head(self) -> tuple[int, str] | None:
        try:
            seq, digest = self._head.read_text("utf-8").split()
            return int(seq), digest
        except (OSError, ValueError):
            return None

    def _recovered_head(self) -> tuple[int, str]:
        seq, digest = 0, _START
        for _, item in self._lines():
            if item is not None and "hash" in item:
                seq, digest = int(item.get("seq", seq)), str(item["hash"])
        return seq, digest

    def _operation(self, start: Entry, end: Entry | None) -> Operation:
        content = end.content if end else {}
        result = str(content.get("result", ""))
        if end is None:
            result = "running" if self._alive(start.operation) else "interrupted"
        return Operation(
            operation=start.operation,
            started=start.time,
            ended=end.time if end else None,
            who=start.who,
            environment=start.environment,
            action=start.action,
            title=str(start.content.get("title", "")),
            plan=start.plan,
            result=result,
            summary=str(content.get("summary", "")),
            undo=tuple(content.get("undo", ())),
            left=tuple(content.get("left", ())),
        )

    def _alive(self, operation: str) -> bool:
        try:
            os.kill(int((self._open / operation).read_text("utf-8")), 0)
        except PermissionError:
            return True
        except (OSError, ValueError):
            return False
        return True


def _digest(item: Mapping[str, Any]) -> str:
    content = {key: value for key, value in item.items() if key != "hash"}
    return hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def _entry(item: Mapping[str, Any]) -> Entry:
    return Entry(
        seq=int(item["seq"]),
        time=datetime.fromisoformat(item["time"]),
        kind=str(item["kind"]),
        operation=str(item["operation"]),
        who=str(item["who"]),
        environment=str(item["environment"]),
        action=str(item["action"]),
        plan=str(item["plan"]),
        content=item["content"],
        hash=str(item["hash"]),
    )
