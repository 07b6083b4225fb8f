"""`toolkit doctor`: is every system of this environment reachable, and am I allowed?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from toolkit.checks import doctor
from toolkit.checks.finding import Finding, Status
from toolkit.cli import diagnostics, options, output
from toolkit.cli.acting import STYLES
from toolkit.cli.apps import single_command
from toolkit.cli.opening import opened
from toolkit.cli.output import Column, Format
from toolkit.errors import ExitCode

if TYPE_CHECKING:
    from rich.console import RenderableType

app = single_command("Is every system of this environment reachable, and am I allowed?")


@app.command()
def check(env: options.Env = None, form: options.Output = Format.TABLE) -> None:
    """Look at every hop between this workstation and the cache, side by side, and name the first that is broken.

    Only reads. Exit code 0 when nothing is broken, 1 otherwise.
    """
    with opened(env) as connections:
        order = [hop.name for hop in doctor.checks(connections)]
        found: dict[str, Finding] = {}
        for finding in doctor.hops(connections):
            found[finding.name] = finding
            if form is Format.JSONL:
                output.document(_hop(finding), form, lambda: "")
        findings = [found[name] for name in order]
        broken = doctor.first_broken(findings, order)
        name = connections.environment.name
    if form is Format.PLAIN:
        for finding in findings:
            output.text(f"{finding.name}\t{finding.status}\t{finding.seconds:.3f}\t{finding.summary}")
    elif form is not Format.JSONL:
        document = {
            "environment": name,
            "first_broken": broken.name if broken else None,
            "hops": [_hop(finding) for finding in findings],
        }
        output.document(document, form, lambda: _drawn(findings, broken))
    if broken is not None:
        if form is not Format.TABLE:
            diagnostics.narrate(f"First broken hop: {broken.name}: {broken.summary}", "red")
        raise typer.Exit(ExitCode.FOUND_WRONG)


def _hop(finding: Finding) -> dict[str, object]:
    return {
        "name": finding.name,
        "status": str(finding.status),
        "summary": finding.summary,
        "hint": finding.hint,
        "seconds": finding.seconds,
        "evidence": list(finding.evidence),
        "by_hand": list(finding.by_hand),
    }


def _drawn(findings: list[Finding], broken: Finding | None) -> list[RenderableType]:
    from rich.text import Text

    parts: list[RenderableType] = [
        output.table(
            findings,
            [
                Column("", lambda f: f"{f.status.sign} {f.status}", style=lambda f: STYLES[f.status]),
                Column("hop", lambda f: f.name),
                Column("seconds", lambda f: "" if f.status is Status.SKIPPED else f"{f.seconds:.2f}", right=True),
                Column("what was found", lambda f: f.summary),
            ],
        )
    ]
    for finding in findings:
        if finding.hint and not (broken and finding.name == broken.name):
            parts.append(Text.assemble((f"{finding.name}: ", "bold"), finding.hint))
    if broken is None:
        return [*parts, Text("Nothing is broken.", style="bold green")]
    parts.append(Text.assemble(("First broken hop: ", "bold red"), (broken.name, "bold"), f": {broken.summary}"))
    if broken.hint:
        parts.append(Text.assemble(("next     ", "dim"), broken.hint))
    parts += [Text.assemble(("by hand  ", "dim"), command) for command in broken.by_hand]
    return parts
