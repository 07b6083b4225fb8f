"""One action on its way through the gate: its plan, the question, the progress, the outcome.

It runs in a thread of its own and keeps what happened, so that its dialogue can be closed and opened again while it
goes on. Screens look at it by a timer; it never touches a widget.
"""

from __future__ import annotations

import queue
import threading
from collections import deque
from datetime import UTC, datetime
from enum import StrEnum
from itertools import islice

from toolkit.actions import gate
from toolkit.actions.gate import Consent, Done
from toolkit.actions.journal import Journal
from toolkit.actions.plan import Action, Outcome, Plan
from toolkit.checks.finding import Finding
from toolkit.environments.model import Environment
from toolkit.errors import ToolkitError
from toolkit.permit import Permit
from toolkit.progress import Advanced, Event, Line, Note, Progress, Step
from toolkit.tui import background
from toolkit.tui.wording import foreign

KEPT_LINES = 5000


class Phase(StrEnum):
    """Where an operation is. Only from APPLYING on is the outside world touched."""

    PLANNING = "making the plan"
    ASKING = "waiting for your answer"
    CHECKING = "checking that the plan still holds"
    APPLYING = "carrying it out"
    VERIFYING = "looking whether it worked"
    ENDED = "ended"


class Operation:
    """`action`, taken through the gate once. `done` or `problem` is set when it has ended."""

    def __init__(self, action: Action, environment: Environment, journal: Journal, *, read_only: bool) -> None:
        self.action = action
        self.environment = environment
        self.read_only = read_only
        self.phase = Phase.PLANNING
        self.plan: Plan | None = None
        self.declined = False
        self.done: Done | None = None
        self.problem: ToolkitError | None = None
        self.steps: deque[Step] = deque(maxlen=200)
        self.advanced: dict[str, Advanced] = {}
        self.lines_seen = 0
        self.started: datetime | None = None
        self.ended: datetime | None = None
        self._journal = journal
        self._lines: deque[Line] = deque(maxlen=KEPT_LINES)
        self._answers: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._progress = Progress(tell=self._tell)

    @property
    def name(self) -> str:
        return self.action.name

    @property
    def ongoing(self) -> bool:
        """Whether the outside world is being changed, or looked at to see what became of that."""
        return self.phase in (Phase.CHECKING, Phase.APPLYING, Phase.VERIFYING)

    @property
    def over(self) -> bool:
        return self.phase is Phase.ENDED

    @property
    def stopping(self) -> bool:
        return self._progress.stop.is_set()

    @property
    def seconds(self) -> float:
        """How long it has been carried out, or took."""
        if self.started is None:
            return 0.0
        return ((self.ended or datetime.now(UTC)) - self.started).total_seconds()

    def start(self) -> None:
        background.start(self._run, f"operation {self.action.name}")

    def answer(self, typed: str) -> bool:
        """Give the person's answer to the question. False, and nothing else, where it does not agree to the plan."""
        if self.declined or self.phase is not Phase.ASKING or self.plan is None or not gate.confirmed(self.plan, typed):
            return False
        self.phase = Phase.CHECKING
        self._answers.put(typed)
        return True

    def decline(self) -> None:
        """Do not carry it out: whatever is asked, or will be, is answered with no."""
        if not self.ongoing:
            self.declined = True
            self._answers.put("")

    def stop(self) -> None:
        """Ask it to end soon. What was done until then stays done, and is listed in the outcome."""
        self._progress.stop.set()

    def lines_after(self, seen: int) -> tuple[list[Line], int]:
        """The log lines from the `seen`-th on, and how many there are by now; the oldest may have been let go."""
        with self._lock:
            missing = self.lines_seen - seen
            kept = list(islice(self._lines, max(0, len(self._lines) - missing), None)) if missing > 0 else []
            return kept, self.lines_seen

    def _run(self) -> None:
        try:
            self.done = gate.carry_out(
                _Watched(self),
                self.environment,
                Consent(ask=self._ask),
                self._journal,
                self._progress,
                read_only=self.read_only,
            )
            self.plan = self.done.plan
        except gate.PlanMoved as moved:
            self.plan, self.problem = moved.plan, moved
        except BaseException as error:  # noqa: BLE001 - a thread's last net; the dialogue shows it
            self.problem = background.as_problem(error)
        if self.plan is None:  # refused before there was a plan: show all the same what it would have done
            try:
                self.plan = self.action.plan()
            except BaseException as error:  # noqa: BLE001
                self.problem = self.problem or background.as_problem(error)
        self.ended = datetime.now(UTC)
        self.phase = Phase.ENDED

    def _ask(self, plan: Plan) -> str:
        self.plan = plan
        self.phase = Phase.ASKING
        return self._answers.get()

    def _tell(self, event: Event) -> None:
        match event:
            case Step() | Note():
                self.steps.append(Step(foreign(event.text)))
            case Advanced():
                self.advanced[event.what] = event
            case Line():
                with self._lock:
                    self._lines.append(Line(event.origin, foreign(event.text)))
                    self.lines_seen += 1


class _Watched:
    """The operation's action, with the phases written down as the gate comes to them."""

    def __init__(self, operation: Operation) -> None:
        self._operation = operation
        self.name = operation.action.name

    def plan(self) -> Plan:
        return self._operation.action.plan()

    def apply(self, plan: Plan, permit: Permit, progress: Progress) -> Outcome:
        self._operation.started = datetime.now(UTC)
        self._operation.phase = Phase.APPLYING
        return self._operation.action.apply(plan, permit, progress)

    def verify(self, plan: Plan, outcome: Outcome) -> tuple[Finding, ...]:
        self._operation.phase = Phase.VERIFYING
        return self._operation.action.verify(plan, outcome)
