"""What an action is: it makes a plan, applies exactly that plan, and verifies what became of it.

Nothing here changes anything; the gate (gate.py) is the only way from a plan to its being carried out.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, Protocol

from toolkit.checks.finding import Finding, Status
from toolkit.permit import Permit
from toolkit.progress import Progress

HOLDS_FOR = timedelta(minutes=10)


class Damage(StrEnum):
    """How much friction a change deserves: SMALL is a `y`, LARGE is a name typed in full."""

    SMALL = "small"
    LARGE = "large"


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that will be different: `verb` `target`, `count` `unit`s of it, `bytes` in all (None: not known)."""

    verb: str
    target: str
    count: int = 1
    unit: str = ""
    bytes: int | None = None


@dataclass(frozen=True, slots=True)
class Fact:
    """Something the person who decides should see. Shown with the plan; not part of its hash."""

    label: str
    value: str
    status: Status = Status.OK


@dataclass(frozen=True)
class Plan:
    """What will change, where, how much, whether it can be undone, and how it is done by hand.

    `preconditions` are the facts the plan rests on (generations, scores, a cluster's identity …): they are part of
    the hash, so a world that has moved gives another plan. `confirm` is the word to type where damage is LARGE.
    """

    action: str
    environment: str
    title: str
    where: str
    changes: tuple[Change, ...]
    damage: Damage
    confirm: str
    undo: str
    by_hand: tuple[str, ...]
    preconditions: tuple[tuple[str, str], ...] = ()
    facts: tuple[Fact, ...] = ()
    made_at: datetime = field(default_factory=lambda: datetime.now(UTC))

    @property
    def hash(self) -> str:
        """16 hex digits over all that decides what will happen; neither the time nor the shown facts count."""
        content = {
            "action": self.action,
            "environment": self.environment,
            "where": self.where,
            "changes": [[c.verb, c.target, c.count, c.unit, c.bytes] for c in self.changes],
            "preconditions": [list(pair) for pair in self.preconditions],
        }
        text = json.dumps(content, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    @property
    def expires_at(self) -> datetime:
        return self.made_at + HOLDS_FOR

    @property
    def empty(self) -> bool:
        """Nothing to do: the world already is as the action would make it."""
        return not self.changes

    def document(self) -> dict[str, Any]:
        """The plan as programs get it (`--dry-run -o json`) and as the journal keeps it."""
        return {
            "plan": self.hash,
            "environment": self.environment,
            "action": self.action,
            "title": self.title,
            "where": self.where,
            "changes": [asdict(change) for change in self.changes],
            "damage": str(self.damage),
            "facts": [asdict(fact) for fact in self.facts],
            "undo": self.undo,
            "by_hand": list(self.by_hand),
            "expires_at": self.expires_at.isoformat(timespec="seconds").replace("+00:00", "Z"),
        }


class Result(StrEnum):
    """done: all of it; partial: some of it, the rest is listed; failed: nothing usable came of it."""

    DONE = "done"
    PARTIAL = "partial"
    FAILED = "failed"


@dataclass(frozen=True)
class Outcome:
    """What became of a plan. `undo` are commands to run, `left` what was not done, `details` lines for people."""

    result: Result
    summary: str
    undo: tuple[str, ...] = ()
    left: tuple[str, ...] = ()
    details: tuple[str, ...] = ()


class Action(Protocol):
    """A guarded change. `plan` and `verify` only read; `apply` does what the plan says and nothing else.

    `name` is stable, `what.verb` (`cache.rebuild`): scripts and the journal know the action by it.

    `apply` gives back a PARTIAL outcome, rather than raising, once something has been changed.
    """

    @property
    def name(self) -> str: ...

    def plan(self) -> Plan: ...

    def apply(self, plan: Plan, permit: Permit, progress: Progress) -> Outcome: ...

    def verify(self, plan: Plan, outcome: Outcome) -> tuple[Finding, ...]: ...
