"""Somebody who walks shipped runbooks on the sandbox, and a process in which such walks are killed after each step."""

from __future__ import annotations

import importlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from toolkit import opening
from toolkit.cli.walking import InScript
from toolkit.errors import ToolkitError, UsageError
from toolkit.walkthrough.case import Case
from toolkit.walkthrough.library import library
from toolkit.walkthrough.page import Asked, Branch, Runbook, Step
from toolkit.walkthrough.person import Decision
from toolkit.walkthrough.record import Record
from toolkit.walkthrough.walk import Walk

# What walks import, once and before the forks.
_ONCE = (
    "google.cloud.storage",
    "hvac",
    "jinja2.sandbox",
    "kubernetes.client",
    "kubernetes.dynamic",
    "markdown_it",
    "redis",
    "toolkit.actions.offers",
    "toolkit.actions.rebuild",
    "toolkit.cache.inspect.vector_health",
    "toolkit.checks.questions",
    "toolkit.checks.runner",
    "toolkit.sandbox.client",
    "toolkit.systems.connections",
    "toolkit.systems.redis_proxy.client",
)


@dataclass
class Walker(InScript):
    """Reads, says that each step is done, agrees to each plan; `picks` are the words of the branch to take, by step."""

    yes: bool = True
    plan_hash: str | None = None
    attended: bool = True
    picks: Mapping[str, str] = field(default_factory=dict)
    step: str = ""
    problems: list[str] = field(default_factory=list)
    shown: list[str] = field(default_factory=list)

    def opened(self, runbook: Runbook, step: Step, number: int) -> None:
        self.step = step.name

    def prose(self, text: str) -> None:
        assert "{{" not in text

    def shell(self, command: str) -> bool:
        self.shown.append(command)
        return False

    def problem(self, error: ToolkitError) -> None:
        self.problems.append(error.message)

    def refused(self, error: UsageError) -> None:
        self.problem(error)

    def answer(self, asked: Asked, prompt: str) -> str:
        assert asked.default is not None, f"nobody answers {asked.name}"
        return asked.default

    def pick(self, branches: Sequence[Branch]) -> int | None:
        wanted = self.picks.get(self.step, branches[0].say)
        [number] = [number for number, branch in enumerate(branches) if wanted in branch.say]
        return number

    def decide(self, step: Step, goes_to: str) -> Decision:
        return Decision("done")


def walk_on(record: Record, case: Case, given: Mapping[str, str], person: Walker) -> Case:
    """From where the case is to its end, with the sandbox's real systems."""
    opened = []

    def connect() -> Any:
        connections = opening.choose("sandbox", lambda _: None).connect()
        opened.append(connections)
        return connections

    try:
        return Walk(record, case, library(), person, connect, given=given).go()
    finally:
        for connections in opened:
            connections.close()


class Killer:
    """A process that has everything imported and forks one walk after another; each is killed once it has saved a step
    or the outcome of an action."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", "import walking_fixtures; walking_fixtures.killing()"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": _here()},
        )  # fmt: skip

    def kill_after_each_step(self, case: str, given: Mapping[str, str], picks: Mapping[str, str]) -> list[list[str]]:
        """What each walk had saved last when it was killed: [kind, step]."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(json.dumps([case, given, picks]), file=self._process.stdin, flush=True)
        told: list[list[str]] = json.loads(self._process.stdout.readline() or "[]")
        return told

    def close(self) -> None:
        with self._process:
            assert self._process.stdin is not None
            self._process.stdin.close()


def killing() -> None:
    """What the Killer's process does: a line in is a case, a line out is how its walks were killed."""
    for module in _ONCE:
        importlib.import_module(module)
    for line in sys.stdin:
        case, given, picks = json.loads(line)
        killed: list[list[str]] = []
        while len(killed) < 60:
            read, write = os.pipe()
            child = os.fork()
            if child == 0:
                os.close(read)
                _walk_until_killed(case, given, picks, write)
                os._exit(0)  # it had ended before
            os.close(write)
            with os.fdopen(read) as told:
                last = told.read()
            status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
            if status != -signal.SIGKILL:
                killed += [] if status == 0 else [["failed", str(status)]]
                break
            killed.append(json.loads(last))
        print(json.dumps(killed), flush=True)


def _walk_until_killed(case: str, given: Mapping[str, str], picks: Mapping[str, str], told: int) -> None:
    def die(*last: str) -> None:
        os.write(told, json.dumps(last).encode())
        os.kill(os.getpid(), signal.SIGKILL)

    class Dying(Record):
        def move(self, moved: Case, *more: Any, **named: Any) -> Case:
            super().move(moved, *more, **named)
            die("moved", moved.here[1] if moved.here else "")
            raise AssertionError

        def note(self, noted: Case, visit: int, kind: str, content: Mapping[str, Any]) -> None:
            super().note(noted, visit, kind, content)
            if kind == "acted":
                die("acted", noted.here[1] if noted.here else "")

    record = Dying()
    found = record.case(case)
    if found.here is None:
        return
    try:
        walk_on(record, found, given, Walker(picks=picks))
    except BaseException as error:
        print(repr(error), file=sys.stderr)
        os._exit(3)


def _here() -> str:
    return os.path.dirname(os.path.abspath(__file__))  # noqa: PTH100, PTH120
