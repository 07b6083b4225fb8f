"""How work under way tells whoever watches: events, and a way to be asked to stop."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from toolkit.errors import Interrupted


@dataclass(frozen=True, slots=True)
class Step:
    """A new step begins; `text` is one line for people."""

    text: str


@dataclass(frozen=True, slots=True)
class Advanced:
    """`done` of `total` (None: unknown) units of `what`; unit is "bytes", "objects", "keys" … `note` says more of it
    for people."""

    what: str
    done: int
    total: int | None
    unit: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """A line of someone else's log (a pod's, say) that arrived while working."""

    origin: str
    text: str


@dataclass(frozen=True, slots=True)
class Note:
    """Something worth knowing about the work that has begun, in a line for people: where it would be quicker, say."""

    text: str


Event = Step | Advanced | Line | Note


def _ignore(event: Event) -> None:
    del event


@dataclass(frozen=True)
class Progress:
    """Handed to long work. `tell` receives its events (from any thread); setting `stop` asks it to end soon."""

    tell: Callable[[Event], None] = _ignore
    stop: threading.Event = field(default_factory=threading.Event)

    def step(self, text: str) -> None:
        self.tell(Step(text))

    def advance(self, what: str, done: int, total: int | None, unit: str, note: str = "") -> None:
        self.tell(Advanced(what, done, total, unit, note))

    def line(self, origin: str, text: str) -> None:
        self.tell(Line(origin, text))

    def note(self, text: str) -> None:
        self.tell(Note(text))

    def check_stop(self) -> None:
        """Raise Interrupted once somebody asked to stop. Called between units of work."""
        if self.stop.is_set():
            raise Interrupted("Stopped on request.")


SILENT = Progress()
