"""A walk through a runbook with questions of the test's own: its ways, its record, and being killed after any step."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from toolkit.actions import gate
from toolkit.actions.gate import Consent, Done
from toolkit.actions.journal import Journal
from toolkit.actions.plan import Action
from toolkit.checks import questions
from toolkit.checks.finding import Finding, Status
from toolkit.checks.question import Input, Question
from toolkit.environments.model import Environment
from toolkit.errors import Refused, ToolkitError, UsageError
from toolkit.progress import Progress
from toolkit.secret import Secret
from toolkit.walkthrough.case import Case, NeedsPerson, Result, State
from toolkit.walkthrough.library import Library
from toolkit.walkthrough.page import Asked, Branch, Runbook, Step
from toolkit.walkthrough.person import Decision
from toolkit.walkthrough.record import Record
from toolkit.walkthrough.report import document, report
from toolkit.walkthrough.walk import MOST_VISITS, Walk

PAGE = """---
title: Why?
symptom: Something is missing.
inputs:
  - {name: pert, prompt: "Which?", kind: pert}
---
## Look
```check there
pert: "{{ pert }}"
```
```choose
- when: checks["there"].ok
  go: tell
- otherwise: next
```
## Wait
```wait-for settled
limit: 5s
every: 0.01s
```
```choose
- otherwise: look
```
## Tell
Tell the user about {{ pert }}.
"""


@dataclass
class Scripted:
    """Decides as it is told, else that the step is done; `answers` by name."""

    decisions: list[Decision] = field(default_factory=list)
    answers: Mapping[str, str] = field(default_factory=dict)
    attended: bool = True
    seen: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def opened(self, runbook: Runbook, step: Step, number: int) -> None:
        self.seen.append(step.name)

    def prose(self, text: str) -> None:
        self.seen.append(text)

    def found(self, finding: Finding) -> None: ...

    def acted(self, done: Done) -> None: ...

    def problem(self, error: ToolkitError) -> None:
        self.problems.append(error.message)

    def refused(self, error: UsageError) -> None:
        self.problem(error)

    def shell(self, command: str) -> bool:
        return False

    def ran(self, command: str, code: int, text: str) -> None: ...

    def answer(self, asked: Asked, prompt: str) -> str:
        if asked.name in self.answers:
            return self.answers[asked.name]
        raise NeedsPerson(prompt)

    def pick(self, branches: Sequence[Branch]) -> int | None:
        return 0

    def carry_out(
        self, action: Action, environment: Environment, journal: Journal, progress: Progress, *, read_only: bool
    ) -> Done:
        return gate.carry_out(action, environment, Consent(), journal, progress, read_only=read_only)

    def decide(self, step: Step, goes_to: str) -> Decision:
        return self.decisions.pop(0) if self.decisions else Decision("done")


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[Status]]:
    """Questions whose answers are taken from lists, the last one for good."""
    answers = {"there": [Status.OK], "settled": [Status.OK]}

    def ask(name: str) -> Any:
        def answer(connections: object, inputs: Mapping[str, str], progress: object) -> Finding:
            left = answers[name]
            status = left.pop(0) if len(left) > 1 else left[0]
            return Finding(name, status, f"{inputs.get('pert', name)} is {status}", by_hand=("redis-cli ping",))

        return answer

    takes = {"there": (Input("pert", "pert", "", required=True),), "settled": ()}
    found = {name: Question(name, "", ask(name), takes[name]) for name in answers}
    monkeypatch.setattr(questions, "QUESTIONS", found)
    return answers


def begin(tmp_path: Path, person: Scripted, text: str = PAGE, **more: Any) -> Walk:
    file = tmp_path / "why.md"
    file.write_text(text)
    folder = Library([tmp_path])
    record = Record(tmp_path / "cases.sqlite")
    case = record.begin(folder.runbook("why"), "")
    connections: Any = SimpleNamespace(environment=SimpleNamespace(name="here", read_only=False, protected=False))
    return Walk(record, case, folder, person, lambda: connections, given={"pert": "BRCA1"}, **more)


def states(case: Case, record: Record) -> list[tuple[str, str, int]]:
    return [(one.step, one.state, one.visits) for one in record.steps(case.id)]


def test_a_walk_branches_waits_and_ends(tmp_path: Path, asked: dict[str, list[Status]]) -> None:
    asked["there"] = [Status.FAIL, Status.OK]
    asked["settled"] = [Status.WARN, Status.WARN, Status.OK]
    person = Scripted()
    walk = begin(tmp_path, person)
    case = walk.go()
    assert person.seen == ["look", "wait", "look", "tell", "Tell the user about BRCA1."]
    assert (case.result, case.here, case.environment) == (Result.WELL, None, "here")
    assert states(case, walk.record) == [("look", "done", 2), ("wait", "done", 1), ("tell", "done", 1)]


def test_a_step_is_skipped_left_gone_back_to_and_jumped_to(tmp_path: Path, asked: dict[str, list[Status]]) -> None:
    skip, jump, back = Decision("skip", "no time"), Decision("jump", "wait"), Decision("back")
    person = Scripted([skip, Decision("jump", "nowhere"), jump, back, Decision("stuck", "no rights")])
    walk = begin(tmp_path, person)
    case = walk.go()
    assert [name for name in person.seen if name.isalpha()] == ["look", "tell", "wait", "tell"]
    assert person.problems[0] == "The runbook why has no step 'nowhere'."
    assert case.here == ("why", "tell")
    notes = {one.step: (one.state, one.note) for one in walk.record.steps(case.id)}
    assert notes["look"] == (State.SKIPPED, "no time")
    assert notes["tell"] == (State.STUCK, "no rights")
    assert "- Stuck at “Tell”: no rights" in report(walk.record, case)


def test_a_loop_ends_by_itself(tmp_path: Path, asked: dict[str, list[Status]]) -> None:
    asked["there"] = [Status.FAIL]
    walk = begin(tmp_path, Scripted())
    case = walk.go()
    assert case.here == ("why", "look")
    assert walk.record.steps(case.id)[0].visits == MOST_VISITS + 1
    assert "a loop" in walk.record.steps(case.id)[0].note


def test_waiting_has_a_limit(tmp_path: Path, asked: dict[str, list[Status]]) -> None:
    asked["there"], asked["settled"] = [Status.FAIL], [Status.WARN]
    walk = begin(tmp_path, Scripted(attended=False), PAGE.replace("5s", "0.05s"))
    case = walk.go()
    stuck = walk.record.steps(case.id)[-1]
    assert (stuck.step, stuck.state) == ("wait", State.STUCK)
    assert "settled is warn" in stuck.note


def test_a_script_changes_nothing_on_a_finding_that_is_not_well(tmp_path: Path, asked: dict[str, list[Status]]) -> None:
    asked["settled"] = [Status.FAIL]
    page = PAGE.split("## Look")[0] + "## A\n```check settled\n```\n## B\n```action cache.rebuild\n```\n"
    walk = begin(tmp_path, Scripted(attended=False), page)
    with pytest.raises(NeedsPerson, match="settled is fail"):
        walk.go()
    assert walk.case.here == ("why", "b")


def test_an_action_that_was_cut_off_is_not_simply_done_again(tmp_path: Path) -> None:
    page = PAGE.split("## Look")[0] + "## B\n```action cache.rebuild\n```\n"
    walk = begin(tmp_path, Scripted(attended=False), page)
    visit = walk.record.open(walk.case, walk.here()[1])
    walk.record.note(walk.case, visit, "acting", {"block": 8, "plan": "ab", "operation": "0123"})
    with pytest.raises(NeedsPerson, match="toolkit journal show 0123"):
        walk.go()
    assert walk.go(Decision("done", "it was complete")).result is Result.WELL


def test_two_programs_do_not_lead_one_case_apart(tmp_path: Path, asked: dict[str, list[Status]]) -> None:
    walk = begin(tmp_path, Scripted([Decision("leave")]))
    walk.go()
    other = Walk(walk.record, walk.case, Library([tmp_path]), Scripted([Decision("done"), Decision("leave")]), object)
    walk.go()
    with pytest.raises(Refused):
        other._move(*other.here(), 1, Decision("done"), "")


def test_the_report_tells_all_and_no_secret(tmp_path: Path, asked: dict[str, list[Status]]) -> None:
    secret = Secret("s.verysecrettoken")
    asked["there"] = [Status.FAIL, Status.UNKNOWN]
    walk = begin(tmp_path, Scripted([Decision("jump", "tell"), Decision("skip", "told " + secret.reveal())]))
    case = walk.go()
    text = report(walk.record, case)
    assert case.result is Result.WRONG
    for part in ("**Symptom.** Something is missing.", "**fail** `there`: BRCA1 is fail", "by hand: `redis-cli ping`"):
        assert part in text
    assert secret.reveal() not in text
    assert secret.reveal().encode() not in b"".join(file.read_bytes() for file in tmp_path.glob("cases.sqlite*"))
    assert document(walk.record, case)["findings"][0]["status"] == "fail"


def test_an_answer_has_to_fit(tmp_path: Path, asked: dict[str, list[Status]]) -> None:
    page = PAGE.split("## Look")[0] + "## A\n```ask\nname: colour\noptions: [red, blue]\n```\n"
    with pytest.raises(UsageError, match="red, blue"):
        begin(tmp_path, Scripted(answers={"colour": "green"}, attended=False), page).go()
    walk = begin(tmp_path, Scripted(answers={"colour": "blue"}), page)
    assert walk.go().inputs == {"pert": "BRCA1", "colour": "blue"}


KILLED = """
import os, signal, sys
from pathlib import Path
sys.path[:0] = [{tests!r}]
import test_walkthrough as t
from toolkit.checks import questions
from toolkit.checks.finding import Finding, Status
from toolkit.checks.question import Question
from toolkit.walkthrough.library import Library
from toolkit.walkthrough.record import Record
from toolkit.walkthrough.walk import Walk

questions.QUESTIONS = {{"x": Question("x", "", lambda *_: Finding("x", Status.OK, "fine"))}}
moved = Record.move
def move(self, *given, **named):
    moved(self, *given, **named)
    os.kill(os.getpid(), signal.SIGKILL)
Record.move = move
record = Record(Path({file!r}))
case = record.case({case!r})
Walk(record, case, Library([Path({folder!r})]), t.Scripted(), lambda: None).go()
"""


def test_killed_after_any_step_it_goes_on_with_every_step_once(tmp_path: Path) -> None:
    steps = ["One", "Two", "Three"]
    page = "---\ntitle: T\nsymptom: S\n---\n" + "".join(
        f"## {step}\n```ask\nname: a{step}\ndefault: x\n```\n" for step in steps
    )
    (tmp_path / "page.md").write_text(page.replace("ask\nname: aTwo\ndefault: x\n", "ask\nname: two\ndefault: y\n"))
    record = Record(tmp_path / "cases.sqlite")
    case = record.begin(Library([tmp_path]).runbook("page"), "")
    source = KILLED.format(
        tests=str(Path(__file__).parent), file=str(record.file), case=case.id, folder=str(tmp_path)
    ).replace("t.Scripted()", "t.Scripted(answers={'aOne': '1', 'two': '2', 'aThree': '3'})")
    for number in range(len(steps)):
        done = subprocess.run([sys.executable, "-c", source], capture_output=True, check=False, env=dict(os.environ))
        assert done.returncode == -signal.SIGKILL, done.stderr.decode()
        assert len(record.steps(case.id)) == number + 1
    case = record.case(case.id)
    assert case.result is Result.WELL
    assert states(case, record) == [("one", "done", 1), ("two", "done", 1), ("three", "done", 1)]
    kinds = [event.kind for event in record.events(case.id)]
    assert kinds == ["opened", "answered", "closed"] * 3
    assert json.dumps(dict(case.inputs), sort_keys=True) == '{"aOne": "1", "aThree": "3", "two": "2"}'
