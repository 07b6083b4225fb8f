"""One walk through a runbook while the app shows it: what its step has said so far, and the question it waits on.

The walk runs in a thread of its own, as the walkthrough's engine wants it, and keeps what happened; a screen looks at
it by a timer and replies. It never touches a widget.
"""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from toolkit.actions.gate import Done
from toolkit.checks.finding import Finding
from toolkit.errors import Interrupted, Refused, ToolkitError, UsageError
from toolkit.progress import Advanced, Event, Progress
from toolkit.tui import background
from toolkit.tui.operation import Operation
from toolkit.walkthrough.case import Case, NeedsPerson, StepRecord
from toolkit.walkthrough.page import Asked, Branch, Runbook, Step
from toolkit.walkthrough.person import Decision
from toolkit.walkthrough.walk import Walk

if TYPE_CHECKING:
    from toolkit.actions.journal import Journal
    from toolkit.actions.plan import Action
    from toolkit.environments.model import Environment
    from toolkit.systems.connections import Connections
    from toolkit.walkthrough.library import Library
    from toolkit.walkthrough.record import Record

_TURN = 0.1  # seconds between looks at an operation that is with the person


@dataclass(frozen=True, slots=True)
class Prose:
    """Markdown to read."""

    text: str


@dataclass(frozen=True, slots=True)
class Command:
    """Shell commands to copy."""

    text: str


@dataclass(frozen=True, slots=True)
class Ask:
    """Something has to be typed; replied to with a text."""

    asked: Asked
    prompt: str


@dataclass(frozen=True, slots=True)
class Pick:
    """One of the branches has to be taken; replied to with its number from 0, or None for none of them."""

    branches: Sequence[Branch]


@dataclass(frozen=True, slots=True)
class Open:
    """An action is next; replied to with True to take it to the gate."""

    action: str


@dataclass(frozen=True, slots=True)
class Decide:
    """The step has said all it has to say; replied to with a Decision. `goes_to` is where a branch leads."""

    step: Step
    goes_to: str


Item = Prose | Command | Finding | Done | ToolkitError
Question = Ask | Pick | Open | Decide


class _Left(NeedsPerson):
    """Nobody looks at the walk any more: the step stays open in the record."""


class Walking:
    """`case` on its way in the open environment. `over` once its thread has ended; `failure` is what ended it early.

    `steps` is what became of each step that was opened, by runbook and step. `turn` changes whenever another step
    opens, and `changes` whenever there is anything new to show.
    """

    attended = True

    def __init__(
        self,
        record: Record,
        case: Case,
        library: Library,
        connections: Connections,
        *,
        read_only: bool,
        given: Mapping[str, str] | None = None,
    ) -> None:
        self.record = record
        self.read_only = read_only
        self.runbook: Runbook | None = None
        self.step: Step | None = None
        self.turn = 0
        self.changes = 0
        self.items: list[Item] = []
        self.question: Question | None = None
        self.operation: Operation | None = None
        self.advanced: Advanced | None = None
        self.over = False
        self.failure: ToolkitError | None = None
        self._amiss: UsageError | None = None  # what was wrong with the last answer, while it is asked for again
        self.steps: dict[tuple[str, str], StepRecord] = {}
        self._left = threading.Event()
        self._replies: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._stop = threading.Event()
        self._walk = Walk(
            record,
            case,
            library,
            self,
            lambda: connections,
            given=given,
            watch=self._watching,
            read_only=read_only,
            shell=False,
        )

    @property
    def case(self) -> Case:
        return self._walk.case

    def start(self) -> None:
        background.start(self._run, f"walk {self.case.id}")

    def reply(self, value: object) -> None:
        """Answer the question that it waits on."""
        if self.question is not None:
            self.question = None
            self._changed()
            self._replies.put(value)

    def leave(self) -> None:
        """Nobody looks any more. What is under way at the gate goes on; the case can be resumed."""
        self._left.set()
        self._stop.set()
        self._replies.put(None)

    # What the engine calls, in the walk's thread

    def opened(self, runbook: Runbook, step: Step, number: int) -> None:
        del number
        self.runbook, self.step, self.items = runbook, step, []
        self.turn += 1
        self._changed()
        self._read_steps()

    def prose(self, text: str) -> None:
        self._say(Prose(text))

    def found(self, finding: Finding) -> None:
        kept = [item for item in self.items if not (isinstance(item, Finding) and item.name == finding.name)]
        self.items = [*kept, finding]
        self._changed()

    def acted(self, done: Done) -> None:
        self._say(done)

    def problem(self, error: ToolkitError) -> None:
        self._say(error)

    def refused(self, error: UsageError) -> None:
        self._amiss = error
        self._say(error)

    def shell(self, command: str) -> bool:
        self._say(Command(command))
        return False

    def ran(self, command: str, code: int, text: str) -> None:
        del command, code, text

    def answer(self, asked: Asked, prompt: str) -> str:
        text = str(self._asked(Ask(asked, prompt)))
        self.items = [item for item in self.items if item is not self._amiss]
        self._amiss = None
        return text

    def pick(self, branches: Sequence[Branch]) -> int | None:
        number: int | None = self._asked(Pick(branches))
        return number

    def carry_out(
        self, action: Action, environment: Environment, journal: Journal, progress: Progress, *, read_only: bool
    ) -> Done:
        del progress  # the gate's dialogue shows it
        if not self._asked(Open(action.name)):
            raise Refused(f"{action.name} was not carried out.", hint="a asks the step's checks and action again.")
        operation = self.operation = Operation(action, environment, journal, read_only=read_only)
        operation.start()
        self._changed()
        while not operation.over:
            if self._left.wait(_TURN) and not operation.ongoing:
                operation.decline()
        self._changed()
        if operation.problem is not None:
            raise operation.problem
        assert operation.done is not None  # noqa: S101 - it is over, and nothing was raised
        return operation.done

    def decide(self, step: Step, goes_to: str) -> Decision:
        self._read_steps()
        decision: Decision = self._asked(Decide(step, goes_to))
        if decision.word == "again":
            self.items = []
            self._changed()
        return decision

    def _asked(self, question: Question) -> Any:
        if self._left.is_set():
            raise _Left("The walk was left.")
        self.question = question
        self._changed()
        value = self._replies.get()
        self.question = None
        if self._left.is_set():
            raise _Left("The walk was left.")
        return value

    def _watching(self) -> AbstractContextManager[Progress]:
        self.advanced = None
        return nullcontext(Progress(self._tell, self._stop))

    def _tell(self, event: Event) -> None:
        if isinstance(event, Advanced):
            self.advanced = event
            self._changed()

    def _say(self, item: Item) -> None:
        self.items = [*self.items, item]
        self._changed()

    def _read_steps(self) -> None:
        self.steps = {(one.runbook, one.step): one for one in self.record.steps(self.case.id)}
        self._changed()

    def _changed(self) -> None:
        self.changes += 1

    def _run(self) -> None:
        try:
            self._walk.go()
        except (_Left, Interrupted):
            pass
        except BaseException as error:  # noqa: BLE001 - a thread's last net; the screen shows it
            self.failure = background.as_problem(error)
        self.question = None
        with contextlib.suppress(ToolkitError):
            self._read_steps()
        self.over = True
        self._changed()
