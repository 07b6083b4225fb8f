"""What each live block does in a step: check, wait, act through the gate, ask, choose, show shell commands.

Everything that comes of it is in the record before the next block begins.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from toolkit.errors import Failed, ToolkitError
from toolkit.walkthrough import case as cases
from toolkit.walkthrough import templates
from toolkit.walkthrough.answers import known
from toolkit.walkthrough.case import Event, NeedsPerson
from toolkit.walkthrough.page import Asked, Block, Prose, Step

if TYPE_CHECKING:
    from toolkit.actions.journal import Journal
    from toolkit.actions.plan import Plan
    from toolkit.checks.finding import Finding
    from toolkit.walkthrough.walk import Walk

_SHELL_OUTPUT: Final = 20_000


class StepStuck(Failed):
    """An unattended step that cannot be done: waiting ran out, or an action did not succeed."""


class Work:
    """The work of one visit to a step. `goes_to` is where a `choose` leads; `picked`: a person said so."""

    def __init__(self, walk: Walk, visit: int) -> None:
        self._walk = walk
        self._visit = visit
        self.goes_to = ""
        self.picked = False

    def gathered(self, step: Step) -> Iterator[Prose | Sequence[Block]]:
        """The step's parts in order; checks that follow one another come together, to be asked side by side."""
        together: list[Block] = []
        for part in step.parts:
            checks = isinstance(part, Block) and part.word == "check"
            if together and (not checks or part.name in [block.name for block in together]):  # type: ignore[union-attr]
                yield together
                together = []
            if isinstance(part, Prose):
                yield part
            elif checks:
                together.append(part)
            else:
                yield [part]
        if together:
            yield together

    def do(self, blocks: Sequence[Block]) -> None:
        """Checks side by side, or one block of another kind."""
        match blocks[0].word:
            case "check":
                self._check(blocks)
            case "wait-for":
                self._wait(blocks[0])
            case "action":
                self._act(blocks[0])
            case "ask":
                self._ask(blocks[0])
            case "choose":
                self._choose(blocks[0])
            case "sh":
                self._shell(blocks[0])

    def _note(self, kind: str, content: Mapping[str, Any]) -> None:
        self._walk.record.note(self._walk.case, self._visit, kind, content)

    def _events(self) -> list[Event]:
        """What happened in this visit so far."""
        here = self._walk.case.here
        events = self._walk.record.events(self._walk.case.id)
        return [event for event in events if (event.runbook, event.step) == here and event.visit == self._visit]

    def _inputs(self, block: Block) -> dict[str, str]:
        return {name: self._walk.fill(text) for name, text in block.inputs.items()}

    def _check(self, blocks: Sequence[Block]) -> None:
        from toolkit.checks import questions, runner

        given = {block.name: self._inputs(block) for block in blocks}
        connections = self._walk.connections()
        with self._walk.watch() as progress:
            checks = [questions.check(name, connections, inputs, progress) for name, inputs in given.items()]
            for finding in runner.run(checks):
                self._found(finding, given[finding.name])
            progress.check_stop()

    def ask_again(self, found: Sequence[Mapping[str, Any]], why: str) -> None:
        """Ask the checks that found this once more, and show what has changed since. `why` is said before."""
        from toolkit.checks import questions, runner

        before = {str(one["name"]): one for one in found}
        self._walk.person.prose(why)
        connections = self._walk.connections()
        with self._walk.watch() as progress:
            checks = [questions.check(name, connections, one["inputs"], progress) for name, one in before.items()]
            for finding in runner.run(checks):
                one = before[finding.name]
                self._note("found", {**found_content(finding, one["inputs"]), "again": True})
                self._walk.person.found(finding)
                if finding.status != one["status"]:
                    self._walk.person.prose(f"Before it was *{one['status']}*.")
            progress.check_stop()

    def _found(self, finding: Finding, inputs: Mapping[str, str]) -> None:
        self._note("found", found_content(finding, inputs))
        self._walk.person.found(finding)

    def _wait(self, block: Block) -> None:
        from toolkit.checks import questions, runner
        from toolkit.checks.finding import Status

        inputs = self._inputs(block)
        connections = self._walk.connections()
        began = time.monotonic()
        with self._walk.watch() as progress:
            check = questions.check(block.name, connections, inputs, progress)
            while True:
                [finding] = runner.run([check])
                waited = time.monotonic() - began
                if finding.status is Status.OK or waited >= block.limit:
                    break
                label = f"waiting for {block.name}"
                progress.advance(label, int(waited), int(block.limit), "s", note=finding.summary)
                progress.stop.wait(min(block.every, block.limit - waited))
                progress.check_stop()
        self._note("waited", {"check": block.name, "seconds": round(waited), "limit": block.limit})
        self._found(finding, inputs)
        if finding.status is not Status.OK:
            self._failed(f"waited {waited:.0f} s for {block.name}, which is: {finding.summary}")

    def _act(self, block: Block) -> None:
        from toolkit.actions import offers

        events = self._events()
        mine = [event for event in events if event.content.get("block") == block.place.line]
        if any(event.kind == "acted" and event.content["result"] == "done" for event in mine):
            return  # the visit is resumed, or its checks are asked again: what was done stays done
        if mine and mine[-1].kind == "acting":
            self._cut_off(block, mine[-1])
        self._nothing_wrong_before(block)
        connections = self._walk.connections()
        action = offers.make(block.name, connections, self._inputs(block))
        try:
            with self._walk.watch() as progress:
                done = self._walk.person.carry_out(
                    action, connections.environment, self._journal(block), progress, read_only=self._walk.read_only
                )
        except ToolkitError as error:
            self._note("refused", {"action": block.name, "block": block.place.line, "message": error.message})
            raise
        self._note(
            "acted",
            {
                "action": done.plan.action,
                "block": block.place.line,
                "title": done.plan.title,
                "plan": done.plan.hash,
                "operation": done.operation,
                "result": str(done.outcome.result) if done.well or done.outcome.result != "done" else "failed",
                "summary": done.outcome.summary,
                "undo": list(done.outcome.undo),
                "left": list(done.outcome.left),
                "findings": [found_content(finding, {}) for finding in done.findings],
            },
        )
        self._walk.person.acted(done)
        if not done.well:
            self._failed(f"{done.plan.action} did not succeed: {done.outcome.summary}")

    def _journal(self, block: Block) -> Journal:
        """The journal; the case's record learns of an action as it begins too."""
        from toolkit.actions.journal import Journal

        note = self._note

        class Noting(Journal):
            def opened(self, plan: Plan) -> str:
                operation = super().opened(plan)
                note("acting", {"block": block.place.line, "plan": plan.hash, "operation": operation})
                return operation

        return Noting()

    def _cut_off(self, block: Block, event: Event) -> None:
        operation = event.content["operation"]
        whose = f"on {event.by}'s machine " if event.by else ""
        text = (
            f"{block.name} was begun and cut off before its end; "
            f"{whose}`toolkit journal show {operation}` has its plan."
        )
        if not self._walk.person.attended:
            raise NeedsPerson(
                text, hint="Look at how far it came. Then --done NOTE; at a terminal it can be carried out again."
            )
        asked = Asked("again", "", options=("yes", "no"), default="no")
        if known(self._walk.person, asked, f"{text} Carry it out again?", {}) != "yes":
            raise Failed(f"{block.name} was not carried out again.")

    def _nothing_wrong_before(self, block: Block) -> None:
        """A script changes nothing on a finding that is not well, unless a branch was taken on it."""
        bad = cases.unsettled(self._walk.record.events(self._walk.case.id))
        if bad and not self._walk.person.attended:
            raise NeedsPerson(
                f"{block.name} was not carried out: the check {bad[0]['name']} before it says: {bad[0]['summary']}",
                hint="A person has to decide whether to go on.",
            )

    def _ask(self, block: Block) -> None:
        assert block.asked is not None  # noqa: S101 - an ask block without it is a problem of form
        name = block.asked.name
        if any(event.kind == "answered" and event.content["name"] == name for event in self._events()):
            return
        prompt = self._walk.fill(block.asked.prompt)
        value = known(self._walk.person, block.asked, prompt, self._walk.given)
        self._walk.learn(name, value)
        self._note("answered", {"name": name, "prompt": prompt, "answer": value})

    def _choose(self, block: Block) -> None:
        for branch in block.branches:
            if branch.when and templates.holds(
                branch.when, self._walk.context(templates.names(branch.when, condition=True))
            ):
                self.goes_to = branch.go
                self._note("chosen", {"because": branch.when, "goes_to": branch.go})
                return
        said = [branch for branch in block.branches if branch.say]
        otherwise = [branch for branch in block.branches if not branch.when and not branch.say]
        if said:
            number = self._walk.person.pick(said)
            if number is None:
                return
            branch = said[number]
            self.picked = True
        elif otherwise:
            branch = otherwise[0]
        else:
            return
        self.goes_to = branch.go
        self._note("chosen", {"because": branch.say or "otherwise", "goes_to": branch.go})

    def _shell(self, block: Block) -> None:
        command = self._walk.fill(block.text, quoted=True)
        if not self._walk.person.shell(command) or not self._walk.shell:
            return
        if self._walk.read_only:
            raise Failed("Nothing is run in a shell: this walk is read-only.")
        done = subprocess.run(
            ["sh", "-c", command], capture_output=True, text=True, errors="replace", check=False, timeout=None
        )
        text = done.stdout + done.stderr
        cut = f"\n… {len(text) - _SHELL_OUTPUT:,} characters more" if len(text) > _SHELL_OUTPUT else ""
        self._note("ran", {"command": command, "code": done.returncode, "output": text[:_SHELL_OUTPUT] + cut})
        self._walk.person.ran(command, done.returncode, text[:_SHELL_OUTPUT] + cut)
        if done.returncode:
            self._failed(f"the commands ended with exit code {done.returncode}")

    def _failed(self, reason: str) -> None:
        """In a script the step is stuck; a person has seen it, and decides."""
        if not self._walk.person.attended:
            raise StepStuck(reason)


def found_content(finding: Finding, inputs: Mapping[str, str]) -> dict[str, Any]:
    """What the record keeps of a finding."""
    return {
        "name": finding.name,
        "status": str(finding.status),
        "well": finding.well,
        "ok": str(finding.status) == "ok",
        "summary": finding.summary,
        "hint": finding.hint,
        "seconds": finding.seconds,
        "evidence": list(finding.evidence),
        "by_hand": list(finding.by_hand),
        "facts": dict(finding.facts),
        "inputs": dict(inputs),
    }
