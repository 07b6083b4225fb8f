"""What somebody answers, checked against what was asked."""

from __future__ import annotations

import difflib
from collections.abc import Mapping

from toolkit.errors import UsageError
from toolkit.walkthrough.page import Asked, Runbook
from toolkit.walkthrough.person import Person


def known(person: Person, asked: Asked, prompt: str, given: Mapping[str, str]) -> str:
    """The answer: as it was given beforehand, else from the person, who is asked until it fits."""
    if asked.name in given:
        return accepted(asked, given[asked.name])
    while True:
        try:
            return accepted(asked, person.answer(asked, prompt))
        except UsageError as error:
            if not person.attended:
                raise
            person.refused(error)


def accepted(asked: Asked, text: str) -> str:
    """`text` as an answer, the default for none. Raises UsageError where it does not fit."""
    value = text.strip() or asked.default or ""
    if not value and asked.default is None:
        raise UsageError(f"{asked.name} is needed: {asked.prompt}")
    if asked.options and value not in asked.options:
        raise UsageError(f"{asked.name} has to be one of: {', '.join(asked.options)}.")
    if asked.kind == "number" and value:
        try:
            float(value)
        except ValueError as error:
            raise UsageError(f"{asked.name} has to be a number, not {value!r}.") from error
    return value


def check_names(runbook: Runbook, given: Mapping[str, str]) -> None:
    """Raises UsageError for a given name that the runbook never asks for, with the nearest it does."""
    names = [asked.name for asked in runbook.inputs]
    names += [block.asked.name for _, block in runbook.blocks() if block.asked is not None]
    for name in given:
        if name not in names:
            near = difflib.get_close_matches(name, names, n=1)
            hint = f"Did you mean {near[0]!r}?" if near else f"It asks for: {', '.join(names) or 'nothing'}."
            raise UsageError(f"The runbook {runbook.name} asks for no {name!r}.", hint=hint)
