"""A case: one walk through a runbook, with its steps' states and all that happened, as the record keeps it.

How it is kept is in record.py; how it goes on is in walk.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from toolkit.errors import ExitCode, Refused

Spot = tuple[str, str]  # a runbook's name and a step's


class State(StrEnum):
    """open: begun; done; skipped: with a reason; stuck: somebody could not go on, and says why."""

    OPEN = "open"
    DONE = "done"
    SKIPPED = "skipped"
    STUCK = "stuck"


class Result(StrEnum):
    """How a case ended. well: every check's last answer was; wrong: one was not; unknown: one could not be answered."""

    WELL = "well"
    WRONG = "wrong"
    UNKNOWN = "unknown"

    @property
    def exit_code(self) -> ExitCode:
        return {"well": ExitCode.OK, "wrong": ExitCode.FOUND_WRONG, "unknown": ExitCode.UNREACHABLE}[self.value]


@dataclass(frozen=True, slots=True)
class Origin:
    """Whose it was before: `case` is its id there; `who` made the bundle at `made`, and it `came` here."""

    case: str
    who: str
    toolkit: str
    made: datetime
    came: datetime


@dataclass(frozen=True)
class Case:
    """Where a walk stands. `here` is None once it has ended; `trail` are the spots that it came by, for going back.

    `moves` counts the steps taken, so that two programs cannot lead one case apart. `origin`: it was taken over.
    """

    id: str
    runbook: str
    title: str
    symptom: str
    environment: str
    who: str
    started: datetime
    ended: datetime | None = None
    result: Result | None = None
    inputs: Mapping[str, str] = field(default_factory=dict)
    here: Spot | None = None
    trail: tuple[Spot, ...] = ()
    moves: int = 0
    origin: Origin | None = None


@dataclass(frozen=True)
class StepRecord:
    """What became of one step; there is one of each step that was opened. `visits` counts how often."""

    runbook: str
    step: str
    title: str
    state: State
    note: str
    visits: int
    opened: datetime
    closed: datetime | None


@dataclass(frozen=True)
class Event:
    """Something that happened in a case: `kind` is opened, closed, found, waited, acting, acted, refused, answered,
    chosen, ran or resumed; `content` is what that kind has to say. `visit` counts the step's openings.
    """

    seq: int
    time: datetime
    runbook: str
    step: str
    visit: int
    kind: str
    content: Mapping[str, Any]

    @property
    def by(self) -> str:
        """The colleague to whom it happened, before the case was taken over; empty: to its owner here."""
        return str(self.content.get("by", ""))


class NeedsPerson(Refused):
    """A script came to a step that a person has to take."""


def findings(events: Iterable[Event]) -> dict[str, Mapping[str, Any]]:
    """Each check's last finding, by the check's name."""
    return {str(event.content["name"]): event.content for event in events if event.kind == "found"}


def actions(events: Iterable[Event]) -> dict[str, Mapping[str, Any]]:
    """Each action's last outcome, by the action's name."""
    return {str(event.content["action"]): event.content for event in events if event.kind == "acted"}


def mended(events: Sequence[Event]) -> list[Mapping[str, Any]]:
    """The findings that were not well when an action was carried out, and that nobody has asked for since."""
    changed = [
        number for number, event in enumerate(events) if event.kind == "acted" and event.content["result"] == "done"
    ]
    if not changed:
        return []
    since = findings(events[changed[-1] :])
    before = findings(events[: changed[-1]])
    return [found for name, found in before.items() if not found["well"] and name not in since]


def unsettled(events: Iterable[Event]) -> list[Mapping[str, Any]]:
    """The findings that are not well and that no branch has been taken on since: nothing should be changed on them."""
    bad: dict[str, Mapping[str, Any]] = {}
    settled: dict[str, str] = {}
    for event in events:
        if event.kind == "chosen":
            settled |= {name: found["status"] for name, found in bad.items()}
            bad.clear()
        elif (
            event.kind == "found"
            and event.content.get("again")
            and settled.get(str(event.content["name"])) == event.content["status"]
        ):
            continue  # asked once more because a colleague had asked it, and a branch was taken on that answer
        elif event.kind == "found":
            bad.pop(str(event.content["name"]), None)
            if not event.content["well"]:
                bad[str(event.content["name"])] = event.content
    return list(bad.values())


def result(events: Sequence[Event], steps: Iterable[StepRecord]) -> Result:
    """How a case with this record ends."""
    statuses = {str(found["status"]) for found in findings(events).values()}
    failed = any(acted["result"] != "done" for acted in actions(events).values())
    if "fail" in statuses or failed or any(step.state is State.STUCK for step in steps):
        return Result.WRONG
    return Result.UNKNOWN if statuses & {"unknown", "skipped"} else Result.WELL
