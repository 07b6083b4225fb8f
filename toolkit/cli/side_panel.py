"""`toolkit side-panel check`: how old is what the side panel shows?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

from toolkit.checks import questions
from toolkit.checks.finding import Finding, Status
from toolkit.checks.runner import run
from toolkit.cli import diagnostics, options, output
from toolkit.cli.acting import STYLES
from toolkit.cli.apps import command_group
from toolkit.cli.opening import opened
from toolkit.cli.output import Format
from toolkit.errors import ExitCode

if TYPE_CHECKING:
    from rich.console import RenderableType

app = command_group("How old is what the side panel shows: check.")

_ASKED = ("go-terms", "benchmark-db")


@app.callback()
def group() -> None:
    """How old is what the side panel shows: check."""


@app.command("check")
def check(env: options.Env = None, form: options.Output = Format.TABLE) -> None:
    """Are the GO terms those of the last Monday night, and how old is the newest row of the benchmark database?

    Only reads. Exit code 1: something is stale; 3: it could not be told. What is not configured is not asked.
    """
    with opened(env) as connections:
        asked = [questions.check(name, connections, {}) for name in _ASKED]
        found = {finding.name: finding for finding in run(asked)}
        name = connections.environment.name
    findings = [found[one] for one in _ASKED]
    if form is Format.PLAIN:
        for one in findings:
            output.text(f"{one.name}\t{one.status}\t{one.summary}")
    else:
        document = {"environment": name, "checks": [_document(one) for one in findings]}
        output.document(document, form, lambda: _drawn(findings))
    if any(one.status in (Status.FAIL, Status.WARN) for one in findings):
        raise typer.Exit(ExitCode.FOUND_WRONG)
    if any(one.status is Status.UNKNOWN for one in findings):
        raise typer.Exit(ExitCode.UNREACHABLE)


def _document(one: Finding) -> dict[str, Any]:
    return {
        "name": one.name,
        "status": str(one.status),
        "summary": one.summary,
        "hint": one.hint,
        "facts": dict(one.facts),
        "seconds": one.seconds,
        "evidence": list(one.evidence),
        "by_hand": list(one.by_hand),
    }


def _drawn(findings: list[Finding]) -> list[RenderableType]:
    from rich.text import Text

    parts: list[RenderableType] = []
    for one in findings:
        head = f"{one.status.sign} {one.name:<14}{diagnostics.printable(one.summary)}"
        parts.append(Text(head, style=STYLES[one.status]))
        lines = [("next", one.hint)] if one.hint else []
        lines += [("by hand", command) for command in one.by_hand if not one.well]
        if lines:
            parts.append(output.pairs([(f"  {label}", diagnostics.printable(value)) for label, value in lines]))
    return parts
