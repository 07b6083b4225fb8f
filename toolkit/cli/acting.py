"""An action from the command line: the plan as text, the question, the progress, the outcome with its undo."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

import typer

from toolkit import figures
from toolkit.actions import gate
from toolkit.actions.gate import Consent, Done
from toolkit.actions.journal import Journal
from toolkit.actions.plan import Action, Change, Plan, Result
from toolkit.checks.finding import Finding, Status
from toolkit.cli import diagnostics, output
from toolkit.cli.output import Format
from toolkit.errors import ExitCode

if TYPE_CHECKING:
    from rich.console import RenderableType

    from toolkit.progress import Progress
    from toolkit.systems.connections import Connections

STYLES = {
    Status.OK: "green",
    Status.WARN: "yellow",
    Status.FAIL: "red",
    Status.UNKNOWN: "yellow",
    Status.SKIPPED: "dim",
}


def act(
    action: Action,
    connections: Connections,
    form: Format,
    *,
    dry_run: bool,
    yes: bool,
    plan_hash: str | None,
    read_only: bool,
) -> NoReturn:
    """Take `action` through the gate, show what happens, and end the command with the right exit code.

    `read_only` as the command's own option says it; the configuration may say so too.
    """
    if dry_run:
        plan = gate.prepare(action)
        output.document(plan.document(), form, lambda: drawn_plan(plan))
        raise typer.Exit(ExitCode.OK)
    with diagnostics.watching() as progress:
        done = carry_out(action, connections, progress, yes=yes, plan_hash=plan_hash, read_only=read_only)
        interrupted = progress.stop.is_set() and not done.well
    _show_outcome(done, form)
    if interrupted:
        raise typer.Exit(ExitCode.INTERRUPTED)
    raise typer.Exit(ExitCode.OK if done.well else ExitCode.FOUND_WRONG)


def carry_out(
    action: Action, connections: Connections, progress: Progress, *, yes: bool, plan_hash: str | None, read_only: bool
) -> Done:
    """Take `action` through the gate, and ask where there is somebody to answer. What came of it is not shown."""
    consent = Consent(ask=ask if diagnostics.can_ask() else None, expected=plan_hash, yes=yes)
    forbidden = read_only or connections.settings.read_only
    try:
        return gate.carry_out(action, connections.environment, consent, Journal(), progress, read_only=forbidden)
    except gate.PlanMoved as moved:
        show_plan(moved.plan)
        raise


def ask(plan: Plan) -> str:
    """Show the plan, and give back what is typed to the question whether to carry it out."""
    show_plan(plan)
    return diagnostics.ask(gate.question(plan))


def show_plan(plan: Plan) -> None:
    """The plan on stderr, where the question will be."""
    import sys

    from rich.console import Console

    console = Console(file=sys.stderr, highlight=False, markup=False)
    for part in drawn_plan(plan):
        console.print(part)


def drawn_plan(plan: Plan) -> list[RenderableType]:
    """The plan as a page: what, where, how much, undo, by hand."""
    from rich.text import Text

    head = Text.assemble((plan.title, "bold"), "\n")
    head.append(f"in {plan.environment}: {plan.where}", style="cyan")
    parts: list[RenderableType] = [head, Text()]
    if plan.empty:
        parts.append(Text("Nothing to change: it is already so.", style="green"))
    parts += [Text.assemble("  ", (change_text(change), "bold")) for change in plan.changes]
    if plan.facts:
        parts.append(Text())
        width = max(len(fact.label) for fact in plan.facts)
        for fact in plan.facts:
            mark = Text(f"  {fact.status.sign} ", style=STYLES[fact.status])
            parts.append(Text.assemble(mark, (fact.label.ljust(width), "dim"), "  ", fact.value))
    parts.append(Text())
    parts.append(Text.assemble(("undo     ", "dim"), plan.undo))
    for number, command in enumerate(plan.by_hand):
        parts.append(Text.assemble(("by hand  " if number == 0 else "         ", "dim"), command))
    parts.append(
        Text.assemble(("plan     ", "dim"), plan.hash, (f"  (holds until {plan.expires_at:%H:%M:%S}Z)", "dim"))
    )
    return parts


def change_text(change: Change) -> str:
    """One change on one line: delete rp006_a/: 8 objects, 2.1 GB."""
    text = f"{change.verb} {change.target}"
    if change.unit:
        text += f": {change.count:,} {change.unit}"
    if change.bytes is not None:
        text += f", {figures.size(change.bytes)}"
    return text


def finding_line(finding: Finding) -> str:
    return f"{finding.status.sign} {finding.name}: {finding.summary}"


def _show_outcome(done: Done, form: Format) -> None:
    document = {
        "plan": done.plan.hash,
        "environment": done.plan.environment,
        "action": done.plan.action,
        "operation": done.operation,
        "result": str(done.outcome.result),
        "summary": done.outcome.summary,
        "undo": list(done.outcome.undo),
        "left": list(done.outcome.left),
        "details": list(done.outcome.details),
        "findings": list(done.findings),
    }
    output.document(document, form, lambda: _drawn_outcome(done))


def _drawn_outcome(done: Done) -> list[RenderableType]:
    from rich.text import Text

    style = {Result.DONE: "bold green", Result.PARTIAL: "bold yellow", Result.FAILED: "bold red"}[done.outcome.result]
    parts: list[RenderableType] = [Text.assemble((f"{done.outcome.result}: ", style), done.outcome.summary)]
    parts += [Text(f"  {line}") for line in done.outcome.details]
    for finding in done.findings:
        parts.append(Text("  " + finding_line(finding), style=STYLES[finding.status]))
        if finding.hint and finding.status is not Status.OK:
            parts.append(Text(f"      next: {finding.hint}"))
        if finding.status is not Status.OK:
            parts += [Text(f"      by hand: {command}", style="dim") for command in finding.by_hand]
    if done.outcome.left:
        parts.append(Text(f"left as they were ({len(done.outcome.left):,}):", style="yellow"))
        parts += [Text(f"  {line}") for line in done.outcome.left]
    for number, command in enumerate(done.outcome.undo):
        parts.append(Text.assemble(("undo  " if number == 0 else "      ", "dim"), command))
    return parts
