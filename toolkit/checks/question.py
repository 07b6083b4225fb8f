"""A read-only question by its stable name, with the inputs it takes: what `why`, runbooks and the app ask by.

The registry itself is in questions.py; how they are run side by side is in runner.py.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from toolkit.errors import UsageError

if TYPE_CHECKING:
    from toolkit.checks.finding import Finding
    from toolkit.progress import Progress
    from toolkit.systems.connections import Connections

Kind = Literal["text", "pert", "group", "frame", "who", "number"]


@dataclass(frozen=True, slots=True)
class Input:
    """What a question or an action takes. `kind` says what it names; the value is always text as somebody typed it."""

    name: str
    kind: Kind
    help: str
    required: bool = False
    default: str = ""


@dataclass(frozen=True, slots=True)
class Question:
    """`ask` gives a Finding, or raises ToolkitError: `unknown`, with that reason. `limit` is in seconds."""

    name: str
    help: str
    ask: Callable[[Connections, Mapping[str, str], Progress], Finding]
    inputs: tuple[Input, ...] = ()
    limit: float = 20.0


def checked(kind: str, name: str, takes: Sequence[Input], given: Mapping[str, str]) -> dict[str, str]:
    """The inputs with their defaults. `kind` and `name` are what errors call it by ("check", "pert-in-cache").

    Raises UsageError for one that is missing, or that it does not take, with the nearest it does.
    """
    names = [one.name for one in takes]
    for key in given:
        if key not in names:
            near = difflib.get_close_matches(key, names, n=1)
            hint = f"Did you mean {near[0]!r}?" if near else f"It takes: {', '.join(names) or 'nothing'}."
            raise UsageError(f"{kind} {name} takes no {key!r}.", hint=hint)
    missing = [one.name for one in takes if one.required and not given.get(one.name)]
    if missing:
        raise UsageError(f"{kind} {name} needs {', '.join(missing)}.")
    return {one.name: given.get(one.name) or one.default for one in takes}
