"""What a runbook is, once it has been read: front matter, steps, and the live blocks in them, each with its place.

How Markdown becomes this is in parsing.py; whether it makes sense as a whole is in lint.py.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

Word = Literal["check", "action", "ask", "wait-for", "choose", "sh"]
WORDS: Final[tuple[Word, ...]] = ("check", "action", "ask", "wait-for", "choose", "sh")
KINDS: Final = ("text", "pert", "group", "frame", "who", "number")

END: Final = "end"
NEXT: Final = "next"


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A line and a column of the runbook's file, both counted from 1."""

    line: int
    column: int = 1


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """Something in a runbook's text that is wrong."""

    place: Place
    message: str


@dataclass(frozen=True, slots=True)
class Asked:
    """What has to be known: an input of the runbook, or what an `ask` block asks. `options` are all there are to choose
    from (empty: anything); without a `default` (None) an answer is needed."""

    name: str
    prompt: str
    kind: str = "text"
    default: str | None = None
    options: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Branch:
    """Where a `choose` may go. `when` is a condition; else `say` is what a person is offered; with neither it is what
    is left ("otherwise"). `go` is a step's name, another runbook's file (`rebuild-failed.md`), `next` or `end`."""

    go: str
    place: Place
    when: str = ""
    say: str = ""

    @property
    def runbook(self) -> str:
        """The other runbook's name, empty where it stays in this one."""
        return self.go.removesuffix(".md") if self.go.endswith(".md") else ""


@dataclass(frozen=True, slots=True)
class Prose:
    """Markdown for people, as it stands in the file."""

    text: str
    place: Place


@dataclass(frozen=True)
class Block:
    """A live block. `name` is the check's or the action's, `inputs` are its templates; `text` is the block's content.

    `limit` and `every` are in seconds, of a `wait-for`. `places` are those of the inputs.
    """

    word: Word
    place: Place
    name: str = ""
    text: str = ""
    inputs: Mapping[str, str] = field(default_factory=dict)
    places: Mapping[str, Place] = field(default_factory=dict)
    asked: Asked | None = None
    branches: tuple[Branch, ...] = ()
    limit: float = 600.0
    every: float = 15.0

    def place_of(self, name: str) -> Place:
        return self.places.get(name, self.place)


@dataclass(frozen=True)
class Step:
    """A second-level heading with what stands below it. `name` is the heading's anchor on a Git host."""

    name: str
    title: str
    place: Place
    parts: tuple[Prose | Block, ...] = ()

    @property
    def blocks(self) -> tuple[Block, ...]:
        return tuple(part for part in self.parts if isinstance(part, Block))

    @property
    def for_a_person(self) -> bool:
        """Whether somebody has to say that it is done: nothing in it answers by itself."""
        return not self.blocks or any(block.word == "sh" for block in self.blocks)

    @property
    def goes_on(self) -> bool:
        """Whether the next step can follow: no `choose` decides otherwise in every case."""
        return not any(block.word == "choose" and _decides(block) for block in self.blocks)


@dataclass(frozen=True)
class Link:
    """A link in the prose."""

    target: str
    place: Place


@dataclass(frozen=True)
class Runbook:
    """A runbook as it was read. `problems` are those of its form alone; with any it cannot be walked."""

    name: str
    title: str
    symptom: str
    text: str
    steps: tuple[Step, ...]
    introduction: str = ""
    inputs: tuple[Asked, ...] = ()
    owner: str = ""
    last_proven: str = ""
    anchors: frozenset[str] = frozenset()
    links: tuple[Link, ...] = ()
    problems: tuple[Problem, ...] = ()

    def step(self, name: str) -> Step | None:
        return next((step for step in self.steps if step.name == name), None)

    def after(self, name: str) -> Step | None:
        """The step that stands below that one."""
        names = [step.name for step in self.steps]
        number = names.index(name) + 1
        return self.steps[number] if number < len(names) else None

    def blocks(self) -> Iterator[tuple[Step, Block]]:
        for step in self.steps:
            for block in step.blocks:
                yield step, block


def anchor(title: str) -> str:
    """The name that a Git host gives to a heading: lower case, no punctuation, hyphens for blanks."""
    return re.sub(r"[^\w\- ]", "", title.lower()).strip().replace(" ", "-")


def scalar(value: Any) -> str:
    """A YAML scalar as somebody would type it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else str(value)


def _decides(block: Block) -> bool:
    last = [branch for branch in block.branches if not branch.when]
    return bool(last) and all(branch.go != NEXT for branch in block.branches)
