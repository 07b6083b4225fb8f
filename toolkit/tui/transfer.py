"""A download that goes on in the background: started here, watched by whoever draws it, stopped at will, and what came
of it at the end.

It runs in a thread of its own and touches no widget. Sessions keep the transfers and hand them on, so that one goes on
when its page is left, and when another environment is opened; what is stopped can be begun again, and goes on where it
stopped.
"""

from __future__ import annotations

import itertools
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Literal

from toolkit.errors import Interrupted, ToolkitError
from toolkit.progress import Advanced, Event, Note, Progress, Step
from toolkit.tui import background
from toolkit.tui.background import as_problem

_numbers = itertools.count(1)
_SPAN = 5.0  # seconds over which the rate is taken
_SETTLED = 1.0  # seconds of a rate before a time left is said


class State(StrEnum):
    """Where a transfer is."""

    WAITING = "waiting"
    GOING = "going"
    STOPPING = "stopping"
    DONE = "done"
    PARTIAL = "partial"
    STOPPED = "stopped"
    FAILED = "failed"


@dataclass(frozen=True)
class Came:
    """A file of it. `bytes` is None and `crc32c` empty where they were not told; `why` says what is wrong with it.
    `differs`: another file of that name is here, and stayed."""

    name: str
    outcome: Literal["downloaded", "already there", "failed"]
    bytes: int | None = None
    crc32c: str = ""
    why: str = ""
    differs: bool = False


@dataclass(frozen=True)
class Arrived:
    """What came of it, into `folder`. `checked` says how the content was compared, `warnings` what else is to be known,
    `how` how to open it."""

    summary: str
    folder: str
    files: tuple[Came, ...] = ()
    checked: str = ""
    warnings: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    how: str = ""

    @property
    def wrong(self) -> tuple[Came, ...]:
        """Files that did not come, or are not as they should be."""
        return tuple(file for file in self.files if file.why)

    @property
    def differing(self) -> tuple[Came, ...]:
        return tuple(file for file in self.files if file.differs)

    @property
    def missing(self) -> bool:
        """Whether the same again may bring more."""
        return any(file.outcome == "failed" and not file.differs for file in self.files)


@dataclass(frozen=True)
class Snapshot:
    """How far it is. `done` and `total` count `unit`; `total` is None while it is not known yet. `rate` is units a
    second over the last seconds, `left` the seconds that the rest takes at it (None: not known)."""

    state: State
    step: str = ""
    done: int = 0
    total: int | None = None
    unit: str = "bytes"
    rate: float = 0.0
    left: float | None = None
    seconds: float = 0.0

    @property
    def part(self) -> float | None:
        """0 to 1; None where the total is not known."""
        return self.done / self.total if self.total else None


Work = Callable[[Progress, bool], Arrived]


class Transfer:
    """`work(progress, overwrite)` in a thread; it may raise ToolkitError. `name` is what is brought, `environment` of
    which one, `to` where to, `command` what does the same (and goes on, after a stop), `overwrite` whether files that
    differ are replaced."""

    def __init__(
        self, name: str, work: Work, to: Path, *, environment: str = "", command: str = "", overwrite: bool = False
    ) -> None:
        self.key = str(next(_numbers))  # tells it from the others; the same once more keeps it
        self.name = name
        self.environment = environment
        self.to = to
        self.command = f"{command} --overwrite" if command and overwrite else command
        self.overwrite = overwrite
        self.note = ""  # what is worth knowing while it goes on
        self.outcome: Arrived | None = None
        self.problem: ToolkitError | None = None
        self.told = False  # whether somebody was told of its end
        self._work, self._plain = work, command
        self._progress = Progress(tell=self._tell)
        self._lock = threading.Lock()
        self._state = State.WAITING
        self._step = ""
        self._advanced: Advanced | None = None
        self._marks: deque[tuple[float, int]] = deque()
        self._began = self._ended = 0.0

    def start(self) -> None:
        self._state, self._began = State.GOING, time.monotonic()
        background.start(self._run, f"transfer {self.name}")

    def stop(self) -> None:
        """Ask it to end soon; what has come stays, and is not brought again."""
        self._progress.stop.set()
        with self._lock:
            if self._state is State.GOING:
                self._state = State.STOPPING

    def anew(self, *, overwrite: bool = False) -> Transfer:
        """The same once more, not started yet: it goes on where this one ended."""
        again = Transfer(
            self.name,
            self._work,
            self.to,
            environment=self.environment,
            command=self._plain,
            overwrite=overwrite,
        )
        again.key = self.key
        return again

    def called(self, here: str) -> str:
        """Its name, with its environment where that is not the one that is open `here`."""
        return self.name if self.environment in ("", here) else f"{self.name}, of {self.environment}"

    @property
    def over(self) -> bool:
        return self._state not in (State.WAITING, State.GOING, State.STOPPING)

    @property
    def stopped(self) -> bool:
        """Whether it ended because somebody asked it to."""
        return self._state is State.STOPPED

    @property
    def well(self) -> bool:
        """Whether all of it came."""
        return self._state is State.DONE

    @property
    def can_go_on(self) -> bool:
        """Whether the same once more may bring what is missing."""
        return self.over and (self.outcome is None or self.outcome.missing)

    def snapshot(self) -> Snapshot:
        with self._lock:
            now = self._ended or time.monotonic()
            told = self._advanced
            done = told.done if told is not None else 0
            rate = self._rate(now, done)
            left = None
            if told is not None and told.total is not None and rate > 0 and now - self._began >= _SETTLED:
                left = (told.total - done) / rate
            return Snapshot(
                self._state,
                self._step,
                done,
                told.total if told is not None else None,
                told.unit if told is not None else "bytes",
                rate,
                left,
                now - self._began if self._began else 0.0,
            )

    def _rate(self, now: float, done: int) -> float:
        while len(self._marks) > 2 and now - self._marks[0][0] > _SPAN:
            self._marks.popleft()
        if not self._marks:
            return 0.0
        since, before = self._marks[0]
        return (done - before) / (now - since) if now > since else 0.0

    def _tell(self, event: Event) -> None:
        with self._lock:
            if isinstance(event, Step):
                self._step = event.text
            elif isinstance(event, Note):
                self.note = event.text
            elif isinstance(event, Advanced):
                if self._advanced is not None and event.unit != self._advanced.unit:
                    self._marks.clear()
                self._advanced = event
                now = time.monotonic()
                if not self._marks or now - self._marks[-1][0] >= 0.1:
                    self._marks.append((now, event.done))

    def _run(self) -> None:
        try:
            self.outcome = self._work(self._progress, self.overwrite)
            state = State.PARTIAL if self.outcome.wrong else State.DONE
        except Interrupted as error:
            self.problem, state = error, State.STOPPED
        except BaseException as error:  # noqa: BLE001 - whatever it was becomes something to show
            self.problem, state = as_problem(error), State.FAILED
        with self._lock:
            self._ended = time.monotonic()
            self._state = state
