"""What is wrong with runbooks beyond their form: checks and actions that do not exist, wrong inputs, steps out of
reach, dead links and choices, loops without an end, names that no template can know."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from toolkit.checks.question import Input
from toolkit.errors import NotFound
from toolkit.walkthrough import templates
from toolkit.walkthrough.library import folders, library, read_file
from toolkit.walkthrough.page import END, NEXT, Block, Place, Problem, Prose, Runbook, Step


@dataclass(frozen=True, slots=True)
class Found:
    """A mistake with its file; `line` and `column` count from 1."""

    file: str
    line: int
    column: int
    message: str

    @property
    def line_text(self) -> str:
        return f"{self.file}:{self.line}:{self.column}: {self.message}"


def lint(paths: Sequence[Path] | None = None) -> tuple[list[Found], int]:
    """The mistakes in the files and folders (None: in all runbooks there are), and the number of runbooks read."""
    files = _files(paths) if paths else [file for folder in folders() for file in _in(folder)]
    found = []
    for file in files:
        runbook = read_file(file)
        for problem in sorted({*runbook.problems, *problems(runbook, file)}):
            found.append(Found(str(file), problem.place.line, problem.place.column, problem.message))
    return found, len(files)


def problems(runbook: Runbook, file: Path) -> list[Problem]:
    """What is wrong with a runbook that lies in `file`, its form apart."""
    others = {*library().files(), *(other.stem for other in file.parent.glob("*.md"))}
    found = list(_dead_links(runbook, file))
    for _, block in runbook.blocks():
        found += _unknown(block)
        found += _dead_choices(runbook, block, others)
    found += _templates(runbook)
    found += _order(runbook)
    return found


def _files(paths: Sequence[Path]) -> list[Path]:
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            found += _in(path)
        elif path.is_file():
            found.append(path)
        else:
            raise NotFound(f"There is no file or folder {path}.")
    return found


def _in(folder: Path) -> list[Path]:
    return [file for file in sorted(folder.glob("*.md")) if file.stem.lower() != "readme"]


def _unknown(block: Block) -> Iterable[Problem]:
    """A check or an action that does not exist, or that does not take what it is given."""
    from toolkit.actions.offers import OFFERS
    from toolkit.checks.questions import QUESTIONS

    if block.word not in ("check", "wait-for", "action"):
        return
    kind = "action" if block.word == "action" else "check"
    known: dict[str, tuple[Input, ...]] = {
        name: one.inputs for name, one in (OFFERS if kind == "action" else QUESTIONS).items()
    }
    if block.name not in known:
        yield Problem(block.place, f"unknown {kind} {block.name!r}{_near(block.name, known)}")
        return
    names = [one.name for one in known[block.name]]
    for name in block.inputs:
        if name not in names:
            yield Problem(block.place_of(name), f"{kind} {block.name} takes no {name!r}{_near(name, names)}")
    for one in known[block.name]:
        if one.required and not block.inputs.get(one.name):
            yield Problem(block.place, f"{kind} {block.name} needs {one.name}")


def _dead_choices(runbook: Runbook, block: Block, others: set[str]) -> Iterable[Problem]:
    steps = [step.name for step in runbook.steps]
    for branch in block.branches:
        if branch.runbook:
            if branch.runbook not in others:
                yield Problem(branch.place, f"there is no runbook {branch.go!r}{_near(branch.runbook, others)}")
        elif branch.go not in (*steps, NEXT, END):
            yield Problem(branch.place, f"there is no step {branch.go!r}{_near(branch.go, steps)}")


def _dead_links(runbook: Runbook, file: Path) -> Iterable[Problem]:
    for link in runbook.links:
        target, _, part = unquote(link.target).partition("#")
        if "://" in target or target.startswith("mailto:") or "{{" in target:
            continue
        if target and not (file.parent / target).exists():
            yield Problem(link.place, f"dead link: there is no {target}")
        elif part:
            anchors = runbook.anchors
            if target.endswith(".md"):
                anchors = read_file(file.parent / target).anchors
            if part not in anchors and (not target or target.endswith(".md")):
                yield Problem(link.place, f"dead link: there is no heading #{part}{_near(part, anchors)}")


def _templates(runbook: Runbook) -> Iterable[Problem]:
    """Names that will not be known, and findings of checks that this runbook never asks."""
    names = {*templates.KNOWN, *(asked.name for asked in runbook.inputs)}
    names |= {block.asked.name for _, block in runbook.blocks() if block.asked is not None}
    made = {("checks", block.name) for _, block in runbook.blocks() if block.word in ("check", "wait-for")}
    made |= {("actions", block.name) for _, block in runbook.blocks() if block.word == "action"}
    for text, place, condition in _all_templates(runbook):
        for name in sorted(templates.names(text, condition=condition) - names):
            yield Problem(place, f"unknown name {name!r} in a template{_near(name, names)}")
        for where, name in sorted(templates.asked_for(text, condition=condition) - made):
            have = [known for kind, known in made if kind == where]
            yield Problem(place, f"{where}[{name!r}]: this runbook has no such {where[:-1]}{_near(name, have)}")


def _all_templates(runbook: Runbook) -> Iterable[tuple[str, Place, bool]]:
    for step in runbook.steps:
        for part in step.parts:
            if isinstance(part, Prose):
                for number, line in enumerate(part.text.splitlines()):
                    if "{{" in line:
                        yield line, Place(part.place.line + number, line.index("{{") + 1), False
                continue
            for name, text in part.inputs.items():
                yield text, part.place_of(name), False
            for branch in part.branches:
                if branch.when:
                    yield branch.when, branch.place, True
            if part.word == "sh":
                yield part.text, part.place, False
            if part.asked is not None:
                yield part.asked.prompt, part.place, False


def _order(runbook: Runbook) -> Iterable[Problem]:
    """Steps that no way leads to, and steps from which no way leads to an end."""
    if not runbook.steps:
        return
    ways = {step.name: _ways(runbook, step) for step in runbook.steps}
    reached = _reached(runbook.steps[0].name, ways)
    ending = {name for name, targets in ways.items() if END in targets}
    grown = True
    while grown:
        more = {name for name, targets in ways.items() if targets & ending} - ending
        ending |= more
        grown = bool(more)
    for step in runbook.steps:
        if step.name not in reached:
            yield Problem(step.place, f"no way leads to the step {step.name!r}")
        elif step.name not in ending:
            yield Problem(step.place, f"from the step {step.name!r} no way leads to an end: a loop")


def _ways(runbook: Runbook, step: Step) -> set[str]:
    """Where a step can lead; another runbook counts as an end."""
    after = runbook.after(step.name)
    following = after.name if after else END
    ways = {following} if step.goes_on else set()
    for block in step.blocks:
        for branch in block.branches:
            ways.add(END if branch.runbook else following if branch.go == NEXT else branch.go)
    return ways


def _reached(first: str, ways: dict[str, set[str]]) -> set[str]:
    reached, new = {first}, {first}
    while new:
        new = {target for name in new for target in ways.get(name, ())} - reached
        reached |= new
    return reached


def _near(name: str, known: Iterable[str]) -> str:
    names = sorted(known)
    near = difflib.get_close_matches(name, names, n=1)
    if near:
        return f": did you mean {near[0]!r}?"
    if len(names) <= 12:
        return f"; there are: {', '.join(names)}" if names else "; there is none"
    return ""
