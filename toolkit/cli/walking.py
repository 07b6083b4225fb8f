"""Who walks through a runbook on the command line: a person at a terminal, or a script. All is said on stderr."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from toolkit.actions import gate
from toolkit.actions.gate import Consent, Done
from toolkit.actions.plan import Action, Plan
from toolkit.checks.finding import Finding, Status
from toolkit.cli import diagnostics
from toolkit.cli.acting import finding_line, show_plan
from toolkit.cli.diagnostics import printable
from toolkit.errors import ToolkitError, UsageError
from toolkit.walkthrough.case import NeedsPerson
from toolkit.walkthrough.page import END, NEXT, Asked, Branch, Runbook, Step
from toolkit.walkthrough.person import Decision

if TYPE_CHECKING:
    from rich.console import RenderableType

    from toolkit.actions.journal import Journal
    from toolkit.environments.model import Environment
    from toolkit.progress import Progress

_COLOURS = {Status.OK: "green", Status.WARN: "yellow", Status.FAIL: "red", Status.UNKNOWN: "yellow"}
_KEYS = "Enter: done · a: check again · s: skip · x: stuck · b: back · j: jump · q: leave"


@dataclass
class AtTerminal:
    """A person, asked on stderr."""

    plan_hash: str | None
    allow_shell: bool
    attended: bool = True
    runbook: Runbook | None = None

    def opened(self, runbook: Runbook, step: Step, number: int) -> None:
        self.runbook = runbook
        diagnostics.narrate(f"\n{number}/{len(runbook.steps)}  {printable(step.title)}", "bold")

    def prose(self, text: str) -> None:
        from rich.markdown import Markdown

        _draw(Markdown("\n".join(printable(line) for line in text.splitlines())))
        diagnostics.narrate("")

    def found(self, finding: Finding) -> None:
        _show_finding(finding)
        for line in finding.evidence:
            diagnostics.narrate(f"    {printable(line)}")
        for command in finding.by_hand:
            diagnostics.narrate(f"    by hand: {printable(command)}", "dim")

    def acted(self, done: Done) -> None:
        _show_done(done)

    def problem(self, error: ToolkitError) -> None:
        diagnostics.error(error)

    def refused(self, error: UsageError) -> None:
        diagnostics.error(error)

    def shell(self, command: str) -> bool:
        for line in command.splitlines():
            diagnostics.narrate(f"    $ {printable(line)}")
        return self.allow_shell and diagnostics.ask("Run this here? [y/N]").lower() in ("y", "yes")

    def ran(self, command: str, code: int, text: str) -> None:
        del command
        for line in text.splitlines():
            diagnostics.narrate(f"    {printable(line)}")
        diagnostics.narrate(f"    exit code {code}", "green" if code == 0 else "red")

    def answer(self, asked: Asked, prompt: str) -> str:
        options = f" ({' / '.join(asked.options)})" if asked.options else ""
        default = f" [{asked.default}]" if asked.default else " [none]" if asked.default == "" else ""
        return diagnostics.ask(f"{printable(prompt)}{options}{default}")

    def pick(self, branches: Sequence[Branch]) -> int | None:
        for number, branch in enumerate(branches, 1):
            diagnostics.narrate(f"  {number}  {printable(branch.say)}")
        while True:
            typed = _asked(f"Which? 1-{len(branches)}, q for none of these:")
            if typed.isdecimal() and 1 <= int(typed) <= len(branches):
                return int(typed) - 1
            if typed == "q":
                return None

    def carry_out(
        self, action: Action, environment: Environment, journal: Journal, progress: Progress, *, read_only: bool
    ) -> Done:
        def ask(plan: Plan) -> str:
            show_plan(plan)
            return diagnostics.ask(gate.question(plan))

        consent = Consent(ask=ask, expected=self.plan_hash)
        return gate.carry_out(action, environment, consent, journal, progress, read_only=read_only)

    def decide(self, step: Step, goes_to: str) -> Decision:
        del step
        if goes_to not in ("", NEXT):
            diagnostics.narrate(f"→ {self._called(goes_to)}", "bold")
        diagnostics.narrate(_KEYS, "dim")
        while True:
            match _asked(">").lower():
                case "" | "d":
                    return Decision("done")
                case "a":
                    return Decision("again")
                case "s":
                    return Decision("skip", diagnostics.ask("Why?"))
                case "x":
                    return Decision("stuck", diagnostics.ask("What is in the way?"))
                case "b":
                    return Decision("back")
                case "j":
                    return Decision("jump", diagnostics.ask("To which step?"))
                case "q":
                    return Decision("leave")

    def _called(self, goes_to: str) -> str:
        """Where a branch leads, as a person knows it."""
        if goes_to == END:
            return "the end"
        step = self.runbook.step(goes_to) if self.runbook else None
        return printable(step.title) if step else f"the runbook {goes_to.removesuffix('.md')}"


@dataclass
class InScript:
    """Nobody: answers are those given beforehand and defaults; what only a person can do raises NeedsPerson."""

    yes: bool
    plan_hash: str | None
    attended: bool = False

    def opened(self, runbook: Runbook, step: Step, number: int) -> None:
        diagnostics.narrate(f"{number}/{len(runbook.steps)}  {printable(step.title)}")

    def prose(self, text: str) -> None:
        del text

    def found(self, finding: Finding) -> None:
        _show_finding(finding)

    def acted(self, done: Done) -> None:
        _show_done(done)

    def problem(self, error: ToolkitError) -> None:
        diagnostics.error(error)

    def refused(self, error: UsageError) -> None:
        diagnostics.error(error)

    def shell(self, command: str) -> bool:
        for line in command.splitlines():
            diagnostics.narrate(f"    $ {printable(line)}")
        return False

    def ran(self, command: str, code: int, text: str) -> None:
        del command, code, text

    def answer(self, asked: Asked, prompt: str) -> str:
        if asked.default is not None:
            return asked.default
        raise NeedsPerson(f"This has to be answered: {prompt}", hint=f"Go on with --set {asked.name}=…")

    def pick(self, branches: Sequence[Branch]) -> int | None:
        said = "; ".join(f"“{branch.say}” (--jump {branch.go})" for branch in branches)
        raise NeedsPerson(f"Somebody has to choose: {said}.", hint="Go on with --jump STEP.")

    def carry_out(
        self, action: Action, environment: Environment, journal: Journal, progress: Progress, *, read_only: bool
    ) -> Done:
        consent = Consent(expected=self.plan_hash, yes=self.yes)
        return gate.carry_out(action, environment, consent, journal, progress, read_only=read_only)

    def decide(self, step: Step, goes_to: str) -> Decision:
        del goes_to
        if step.for_a_person:
            raise NeedsPerson(
                f"“{step.title}” is for a person.", hint="When it is done: --done NOTE; else --skip REASON."
            )
        return Decision("done")


def _asked(question: str) -> str:
    """An answer; the end of the input (Ctrl-D) leaves the walk rather than saying yes to it."""
    typed = diagnostics.ask_line(question)
    return "q" if typed is None else typed.strip()


def _show_finding(finding: Finding) -> None:
    diagnostics.narrate(f"  {printable(finding_line(finding))}", _COLOURS.get(finding.status, "dim"))
    if finding.hint and finding.status is not Status.OK:
        diagnostics.narrate(f"    next: {printable(finding.hint)}")


def _show_done(done: Done) -> None:
    diagnostics.narrate(f"  {done.outcome.result}: {printable(done.outcome.summary)}", "green" if done.well else "red")
    for finding in done.findings:
        _show_finding(finding)
    for line in done.outcome.left:
        diagnostics.narrate(f"    left as it was: {printable(line)}")
    for command in done.outcome.undo:
        diagnostics.narrate(f"    undo: {printable(command)}")


def _draw(drawn: RenderableType) -> None:
    from rich.console import Console

    Console(file=sys.stderr, highlight=False, markup=False).print(drawn)
