"""Who walks: what the engine shows to, and wants to know from, the person (or script) that takes the steps.

The app, the command line and a script's settings each are one. Nothing here decides anything.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

from toolkit.walkthrough.page import Asked, Branch, Runbook, Step

if TYPE_CHECKING:
    from toolkit.actions.gate import Done
    from toolkit.actions.journal import Journal
    from toolkit.actions.plan import Action
    from toolkit.checks.finding import Finding
    from toolkit.environments.model import Environment
    from toolkit.errors import ToolkitError, UsageError
    from toolkit.progress import Progress

Word = Literal["done", "skip", "stuck", "back", "jump", "again", "leave"]


@dataclass(frozen=True, slots=True)
class Decision:
    """What becomes of a step. `text` is the note or reason, for `jump` the step's name."""

    word: Word
    text: str = ""


class Person(Protocol):
    """Called from the thread that walks; a method may block until there is an answer.

    `attended` is False for a script: then nothing is changed while a check before it is not well.
    """

    attended: bool

    def opened(self, runbook: Runbook, step: Step, number: int) -> None:
        """A step opens; it is the `number`th of the runbook."""

    def prose(self, text: str) -> None:
        """Markdown to read."""

    def found(self, finding: Finding) -> None: ...

    def acted(self, done: Done) -> None: ...

    def problem(self, error: ToolkitError) -> None:
        """Something did not work; the person decides what becomes of the step."""

    def refused(self, error: UsageError) -> None:
        """An answer does not fit; it is asked for again."""

    def shell(self, command: str) -> bool:
        """Commands to copy. Whether the toolkit shall run them."""
        ...

    def ran(self, command: str, code: int, text: str) -> None: ...

    def answer(self, asked: Asked, prompt: str) -> str:
        """Raises NeedsPerson where nobody can answer."""
        ...

    def pick(self, branches: Sequence[Branch]) -> int | None:
        """Which of the branches, None for none of them; raises NeedsPerson where nobody can say."""
        ...

    def carry_out(
        self, action: Action, environment: Environment, journal: Journal, progress: Progress, *, read_only: bool
    ) -> Done:
        """Take the action through the gate, as `gate.carry_out` does, with this person's consent; raises as it does."""
        ...

    def decide(self, step: Step, goes_to: str) -> Decision:
        """What becomes of the step; `goes_to` is where a branch leads (empty: the next one)."""
        ...
