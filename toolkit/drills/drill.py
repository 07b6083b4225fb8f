"""What a drill is: one frozen value that says all that is known of it, as it is kept in its file."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import msgspec


class Phase(StrEnum):
    """preparing: its case is being brought about; on: somebody is at work on it; over: there is a score."""

    PREPARING = "preparing"
    ON = "on"
    OVER = "over"


class Verdict(StrEnum):
    """Of an answer: all causes and no other; some of them; none of them. `none`: nobody answered."""

    RIGHT = "right"
    PARTLY = "partly"
    WRONG = "wrong"
    NONE = "none"


class Symptom(msgspec.Struct, frozen=True):
    """What `who` reports, in `words`; about a perturbation or a group ("" where it is about none)."""

    who: str
    words: str
    pert: str = ""
    group: str = ""


class Typed(msgspec.Struct, frozen=True):
    """A command that was run: its words ("groups list"; `--dry-run` and a runbook's name count as such), nothing else
    that was given to it. Or what was looked at in the terminal app, under the words of the command that shows the same.

    `by_itself`: the app showed it without being asked to. It was seen, and nobody is blamed for it.
    """

    words: str
    exit_code: int
    at: datetime
    by_itself: bool = False


class Answer(msgspec.Struct, frozen=True):
    causes: tuple[str, ...]
    verdict: Verdict
    at: datetime


class Look(msgspec.Struct, frozen=True):
    """What was seen of the world at one moment: `causes` that the diagnosis suspects, `untold` that it cannot tell;
    the groups' names in Redis and in the bucket (None: could not be read)."""

    causes: tuple[str, ...] = ()
    untold: tuple[str, ...] = ()
    in_redis: tuple[str, ...] | None = None
    in_bucket: tuple[str, ...] | None = None


class Deduction(msgspec.Struct, frozen=True):
    """Points that something cost."""

    points: int
    why: str


class Step(msgspec.Struct, frozen=True):
    """A step of the shortest way: the command, ready to type, and what it shows or does. `looked`: it was gone, or what
    it shows was seen otherwise."""

    command: str
    why: str
    looked: bool


class Score(msgspec.Struct, frozen=True):
    """`points` of 100. `mended`: whether the diagnosis finds the cause gone; None where nothing is to be mended here.

    `checks_needed` are what the causes are told by, `checks_seen` those of them that were looked at. `advice` is for
    each cause what is done about it, where no command of the shortest way does it.
    """

    verdict: Verdict
    points: int
    seconds: float
    mended: bool | None
    checks_needed: tuple[str, ...]
    checks_seen: tuple[str, ...]
    detours: tuple[str, ...]
    damage: tuple[str, ...]
    deductions: tuple[Deduction, ...]
    way: tuple[Step, ...]
    advice: tuple[str, ...]


class Drill(msgspec.Struct, frozen=True):
    """A drill. Its case stands in `sealed` (see choice.py), and in the open as `scenario` once it is over.

    `seed` is None where the case was chosen by name. `journal_before` is how many operations the journal held when it
    began.
    """

    id: str
    phase: Phase
    environment: str
    level: int
    seed: int | None
    salt: str
    sealed: str
    started: datetime
    ended: datetime | None = None
    symptoms: tuple[Symptom, ...] = ()
    journal_before: int = 0
    before: Look = Look()
    commands: tuple[Typed, ...] = ()
    hints: tuple[str, ...] = ()
    answers: tuple[Answer, ...] = ()
    scenario: tuple[str, ...] | None = None
    score: Score | None = None

    @property
    def over(self) -> bool:
        return self.phase is Phase.OVER
