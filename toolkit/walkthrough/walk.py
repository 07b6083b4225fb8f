"""The walk: opens the step where a case is, lets its blocks do their work, and moves on as the person decides.

The same for the app, the command line and scripts. What a single block does is in work.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from toolkit.errors import Failed, NotFound, ToolkitError, UsageError
from toolkit.progress import SILENT, Progress
from toolkit.walkthrough import case as cases
from toolkit.walkthrough import templates
from toolkit.walkthrough.answers import known
from toolkit.walkthrough.case import Case, NeedsPerson, Spot, State
from toolkit.walkthrough.library import Library, sound
from toolkit.walkthrough.page import END, NEXT, Prose, Runbook, Step
from toolkit.walkthrough.parsing import parse
from toolkit.walkthrough.person import Decision, Person
from toolkit.walkthrough.record import Record
from toolkit.walkthrough.work import StepStuck, Work

if TYPE_CHECKING:
    from toolkit.systems.connections import Connections

MOST_VISITS: Final = 25  # a step that is opened more often stands in a loop that does not end by itself


def _silently() -> AbstractContextManager[Progress]:
    return nullcontext(SILENT)


def begin(record: Record, runbook: Runbook, library: Library) -> Case:
    """A new case, that has the texts of all runbooks it can come to: they do not change under it."""
    case = record.begin(runbook, "")
    kept, new = {runbook.name}, [runbook]
    while new:
        names = {branch.runbook for _, block in new.pop().blocks() for branch in block.branches if branch.runbook}
        for name in sorted(names - kept):
            kept.add(name)
            with suppress(NotFound, UsageError):  # said when the walk comes there
                other = library.runbook(name)
                record.keep_page(case.id, other)
                new.append(other)
    return case


class Walk:
    """One case on its way. `connect` opens the environment when a block first needs it; `watch` gives a Progress for
    one block's work.

    `given` are inputs and answers that are known beforehand; with `shell` the sh blocks may be run, each after a
    question.
    """

    def __init__(
        self,
        record: Record,
        case: Case,
        library: Library,
        person: Person,
        connect: Callable[[], Connections],
        *,
        given: Mapping[str, str] | None = None,
        watch: Callable[[], AbstractContextManager[Progress]] = _silently,
        read_only: bool = False,
        shell: bool = False,
    ) -> None:
        self.case = case
        self.record = record
        self.person = person
        self.watch = watch
        self.read_only = read_only
        self.shell = shell
        self.given = dict(given or {})
        self._library = library
        self._connect = connect
        self._connections: Connections | None = None

    def go(self, first: Decision | None = None) -> Case:
        """Walk until the case ends, a step is stuck, or the person leaves. What was done until then is kept.

        `first` is what somebody says of the step where the case was left: its blocks do not work again.

        Raises NeedsPerson at a step that a script cannot take, and whatever ToolkitError a script's step ends in.
        """
        while self.case.here is not None:
            runbook, step = self.here()
            if not self._take(runbook, step, first):
                break
            first = None
        return self.case

    def here(self) -> tuple[Runbook, Step]:
        """The runbook and the step where the case is."""
        if self.case.here is None:
            raise NotFound(f"Case {self.case.id} has ended.")
        name, step_name = self.case.here
        runbook = self._runbook(name)
        step = runbook.step(step_name)
        if step is None:
            raise NotFound(f"The runbook {name} has no step {step_name!r}.")
        return runbook, step

    def connections(self) -> Connections:
        """The environment's systems; the case is about that environment from now on."""
        if self._connections is None:
            self._connections = self._connect()
            name = self._connections.environment.name
            if self.case.environment != name:
                self.case = self.record.know(self.case, {}, environment=name)
        return self._connections

    def context(self, asks_for: frozenset[str] = frozenset()) -> dict[str, Any]:
        """What templates see. The environment is opened only if they ask for its name."""
        events = self.record.events(self.case.id)
        if "env" in asks_for:
            self.connections()
        return {
            **self.case.inputs,
            "env": self.case.environment,
            "checks": cases.findings(events),
            "actions": cases.actions(events),
        }

    def fill(self, text: str, *, quoted: bool = False) -> str:
        """A template of this case's, filled in."""
        return templates.render(text, self.context(templates.names(text)), quoted=quoted) if "{" in text else text

    def learn(self, name: str, value: str) -> None:
        """An input or answer that is known from now on."""
        self.case = self.record.know(self.case, {name: value})

    def _runbook(self, name: str) -> Runbook:
        kept = self.record.page(self.case.id, name)
        if kept is not None:
            return sound(parse(kept, name), name)
        runbook = self._library.runbook(name)
        self.record.keep_page(self.case.id, runbook)
        return runbook

    def _take(self, runbook: Runbook, step: Step, said: Decision | None) -> bool:
        """One step from its opening to its end. False: the walk stops here."""
        visit = self.record.open(self.case, step)
        self.person.opened(runbook, step, runbook.steps.index(step) + 1)
        if visit > MOST_VISITS:
            return self._stuck(visit, f"opened {visit} times: a loop that does not end by itself")
        if self.case.origin is not None:
            self._ask_again(step, visit)
        while True:
            work = Work(self, visit)
            try:
                decision = self._work(runbook, step, work) if said is None else self._said(step, work, said)
            except StepStuck as stuck:
                return self._stuck(visit, stuck.message)
            if decision.word == "again":
                continue
            try:
                return self._move(runbook, step, visit, decision, work.goes_to)
            except UsageError as error:
                if not self.person.attended:
                    raise
                self.person.problem(error)
                said = None

    def _ask_again(self, step: Step, visit: int) -> None:
        """What a colleague's checks found may be old: each is asked again here, those apart that this step asks."""
        asked_here = {block.name for block in step.blocks if block.word in ("check", "wait-for")}
        found = cases.findings(self.record.events(self.case.id)).values()
        theirs = [one for one in found if one.get("by") and one["name"] not in asked_here]
        self._anew(theirs, visit, "What was found before the case came here may be old. Asked again:")

    def _anew(self, found: Iterable[Mapping[str, Any]], visit: int, why: str) -> None:
        """Ask these checks once more, those that there are yet."""
        from toolkit.checks.questions import QUESTIONS

        known_yet = [one for one in found if one["name"] in QUESTIONS]
        if not known_yet:
            return
        try:
            Work(self, visit).ask_again(known_yet, why)
        except UsageError as error:  # a check that takes other inputs by now
            self.person.problem(error)
        except ToolkitError as error:
            if not self.person.attended:
                raise
            self.person.problem(error)

    def _said(self, step: Step, work: Work, decision: Decision) -> Decision:
        """Somebody says that it is done: what is left is to see where it leads."""
        if decision.word == "done":
            for block in step.blocks:
                if block.word == "choose" and not work.goes_to:
                    work.do([block])
        return decision

    def _work(self, runbook: Runbook, step: Step, work: Work) -> Decision:
        try:
            for asked in runbook.inputs:
                if asked.name not in self.case.inputs:
                    self.learn(asked.name, known(self.person, asked, asked.prompt, self.given))
            for part in work.gathered(step):
                if isinstance(part, Prose):
                    self.person.prose(self.fill(part.text))
                else:
                    work.do(part)
                if work.picked:
                    return Decision("done")
                if work.goes_to:
                    break
        except (NeedsPerson, StepStuck):
            raise
        except ToolkitError as error:
            if not self.person.attended:
                raise
            self.person.problem(error)
        return self.person.decide(step, work.goes_to)

    def _stuck(self, visit: int, note: str) -> bool:
        if self.person.attended:
            self.person.problem(Failed(f"This step is stuck: {note}."))
        assert self.case.here is not None  # noqa: S101 - a step was open
        self.case = self.record.move(self.case, visit, State.STUCK, note, here=self.case.here, trail=self.case.trail)
        return False

    def _move(self, runbook: Runbook, step: Step, visit: int, decision: Decision, goes_to: str) -> bool:
        """Close the step as was decided, and go where that leads. False: the walk stops here."""
        spot = (runbook.name, step.name)
        match decision.word:
            case "leave":
                return False
            case "stuck":
                return self._stuck(visit, decision.text or "no reason given")
            case "back":
                if not self.case.trail:
                    raise UsageError("This is where the walk began.")
                here: Spot | None = self.case.trail[-1]
                trail = self.case.trail[:-1]
                state, note = State.SKIPPED, decision.text or "went back"
            case "jump":
                here = self._spot(runbook, step, decision.text)
                trail = (*self.case.trail, spot)
                state, note = State.SKIPPED, f"jumped to {decision.text}"
            case _:
                here = self._spot(runbook, step, goes_to or NEXT)
                trail = (*self.case.trail, spot)
                state = State.SKIPPED if decision.word == "skip" else State.DONE
                note = decision.text
        result = None
        if here is None:
            wrong_before = cases.mended(self.record.events(self.case.id))
            self._anew(wrong_before, visit, "What was wrong before the change, asked again:")
            closing = replace(self._closing(spot), state=state)
            others = [one for one in self.record.steps(self.case.id) if (one.runbook, one.step) != spot]
            result = cases.result(self.record.events(self.case.id), [*others, closing])
        self.case = self.record.move(self.case, visit, state, note, here=here, trail=trail[-200:], result=result)
        return True

    def _closing(self, spot: Spot) -> cases.StepRecord:
        return next(one for one in self.record.steps(self.case.id) if (one.runbook, one.step) == spot)

    def _spot(self, runbook: Runbook, step: Step, goes_to: str) -> Spot | None:
        """Where `goes_to` leads from that step; None is the end. Raises UsageError for a step that is not there."""
        if goes_to == END:
            return None
        if goes_to == NEXT:
            after = runbook.after(step.name)
            return (runbook.name, after.name) if after else None
        if goes_to.endswith(".md"):
            other = self._runbook(goes_to.removesuffix(".md"))
            return other.name, other.steps[0].name
        if runbook.step(goes_to) is None:
            raise UsageError(
                f"The runbook {runbook.name} has no step {goes_to!r}.",
                hint=f"There are: {', '.join(one.name for one in runbook.steps)}.",
            )
        return runbook.name, goes_to
