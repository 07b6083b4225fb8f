"""What a cause is, and how it is judged: from the facts of findings alone."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from toolkit.checks.finding import Finding, Status


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody asks: about a `pert`, a `group`, both, the map as a whole (`map`), or just "what is wrong?".

    `who` is the person who reports it, by the address they sign in with; asked about alone: why do they not get in?
    """

    pert: str = ""
    group: str = ""
    map: bool = False
    who: str = ""

    @property
    def words(self) -> str:
        if self.pert:
            return f"Why is {self.pert} missing{f' in {self.group}' if self.group else ''}?"
        if self.group and not self.map:
            return f"Why is {self.group} missing?"
        if self.map:
            return f"Why does the map{f' of {self.group}' if self.group else ''} look funny?"
        if self.who:
            return f"Why can't {self.who} get in?"
        return "Is anything wrong?"


class Known:
    """The findings so far, by check."""

    def __init__(self, findings: Mapping[str, Finding]) -> None:
        self._findings = findings

    def facts(self, check: str) -> Mapping[str, Any] | None:
        """The facts of a check; None where it was not asked, or could not be answered."""
        found = self._findings.get(check)
        return found.facts if found is not None and found.facts else None

    def summary(self, check: str) -> str:
        found = self._findings.get(check)
        return found.summary if found is not None else ""

    def unanswered(self, check: str) -> bool:
        """Whether it was asked, and could not be answered in full."""
        found = self._findings.get(check)
        return found is not None and (found.status in (Status.UNKNOWN, Status.SKIPPED) or not found.facts)


class Word(StrEnum):
    SUSPECTED = "suspected"
    RULED_OUT = "ruled out"
    UNTOLD = "could not tell"
    NOT_ASKED = "not asked"


@dataclass(frozen=True, slots=True)
class Judgement:
    """`checks` are what it rests on; `confidence` (0 to 1) is only a suspected cause's; `why` is one line."""

    word: Word
    checks: tuple[str, ...] = ()
    confidence: float = 0.0
    why: str = ""


def suspected(confidence: float, why: str, *because: str) -> Judgement:
    return Judgement(Word.SUSPECTED, because, confidence, why)


def ruled_out(by: str) -> Judgement:
    return Judgement(Word.RULED_OUT, (by,))


def untold(by: str) -> Judgement:
    """It could not be told, because of that check."""
    return Judgement(Word.UNTOLD, (by,))


NOT_ASKED = Judgement(Word.NOT_ASKED)


@dataclass(frozen=True, slots=True)
class Mend:
    """What mends it: an action of the toolkit, or a runbook. `command` has {env}, {group}, {pert}, {who} to fill."""

    kind: str
    name: str
    command: str

    def ready(self, environment: str, asked: Asked) -> str:
        """The command as it is typed."""
        words = {"env": environment, "group": asked.group, "pert": asked.pert, "who": asked.who}
        return self.command.format(**{key: shlex.quote(value) for key, value in words.items()})


def action(name: str, command: str) -> Mend:
    return Mend("action", name, f"toolkit {command} --env {{env}}")


def runbook(name: str, given: str = "") -> Mend:
    """`given` is what the command answers beforehand (`--set who={who}`)."""
    return Mend("runbook", name, f"toolkit runbook run {name}{f' {given}' if given else ''} --env {{env}}")


@dataclass(frozen=True, slots=True)
class Cause:
    """A cause under the name that its scenario has. `needs` are the checks that its judge looks at.

    `ours`: the on-call engineer mends it; else `ask` says whom to ask (or what to ask of them).
    """

    name: str
    title: str
    needs: tuple[str, ...]
    judge: Callable[[Asked, Known], Judgement]
    mends: tuple[Mend, ...] = ()
    ours: bool = True
    ask: str = ""
