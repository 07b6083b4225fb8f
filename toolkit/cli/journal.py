"""`toolkit journal list | show | verify | settle`: what was changed, by whom, with what outcome."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from toolkit import figures
from toolkit.actions.journal import Journal, Operation
from toolkit.cli import options, output
from toolkit.cli.apps import command_group
from toolkit.cli.output import Column, Format
from toolkit.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from rich.console import RenderableType

app = command_group("What was changed, by whom and with what outcome.")

_STYLES = {"done": "green", "partial": "yellow", "running": "cyan", "settled": "dim"}


@app.command("list")
def list_(
    env: Annotated[str | None, typer.Option("--env", "-e", metavar="NAME", help="Only this environment's.")] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", help="How many, the latest; 0 for all.")] = 50,
    form: options.Output = Format.TABLE,
) -> None:
    """The changes made through this toolkit on this machine, the latest last."""
    found = [item for item in Journal().operations() if env in (None, item.environment)]
    shown = found[-limit:] if limit > 0 else found
    output.rows(
        shown,
        [
            Column("when", lambda o: figures.when(o.started), plain=lambda o: figures.rfc3339(o.started)),
            Column("id", lambda o: o.operation),
            Column("environment", lambda o: o.environment),
            Column("action", lambda o: o.action),
            Column("result", lambda o: o.result, style=lambda o: _STYLES.get(o.result, "bold red")),
            Column("who", lambda o: o.who),
            Column("what came of it", lambda o: o.summary),
        ],
        form,
        empty="The journal is empty: nothing was changed through this toolkit yet.",
    )
    if form is Format.TABLE and len(shown) < len(found):
        output.text(f"{len(shown):,} of {len(found):,} shown; --limit 0 shows all.")


@app.command()
def show(
    operation: Annotated[str, typer.Argument(help="The operation's id, or its beginning.")],
    form: options.Output = Format.TABLE,
) -> None:
    """One change: its plan as it was agreed to, the outcome, and how to undo it."""
    found, plan = Journal().operation(operation)
    output.document({"operation": found, "plan": dict(plan)}, form, lambda: _drawn(found, dict(plan)))


@app.command()
def verify(form: options.Output = Format.TABLE) -> None:
    """Is the journal as it was written? Names every line that was changed, added or taken away. Exit code 1 if so."""
    journal = Journal()
    problems = journal.verify()
    count = sum(1 for _ in journal.entries())

    def draw() -> RenderableType:
        if not problems:
            return f"{count:,} entries, unbroken: {journal.file}"
        lines = [f"{journal.file}:{p.line}: {p.what}" if p.line else f"{journal.file}: {p.what}" for p in problems]
        return "\n".join(lines)

    output.document({"file": str(journal.file), "entries": count, "problems": problems}, form, draw)
    if problems:
        raise typer.Exit(ExitCode.FOUND_WRONG)


@app.command()
def settle(operation: Annotated[str, typer.Argument(help="An interrupted operation's id.")]) -> None:
    """Say that you looked after an interrupted operation, so that it is not reported any more."""
    journal = Journal()
    found, _ = journal.operation(operation)
    if found.result != "interrupted":
        raise UsageError(f"Operation {found.operation} is not interrupted: it is {found.result}.")
    journal.settle(found)
    output.text(f"{found.operation} is settled.")


def _drawn(operation: Operation, plan: dict[str, object]) -> RenderableType:
    lines = [
        ("operation", operation.operation),
        ("title", operation.title),
        ("where", f"{operation.environment}: {plan.get('where', '')}"),
        ("who", operation.who),
        ("started", figures.when(operation.started)),
        ("ended", figures.when(operation.ended)),
        ("plan", operation.plan),
        ("result", f"{operation.result}: {operation.summary}"),
    ]
    changes = plan.get("changes")
    for change in changes if isinstance(changes, list) else []:
        lines.append(("change", f"{change['verb']} {change['target']} ({change['count']} {change['unit']})"))
    lines += [("undo", command) for command in operation.undo]
    lines += [("left", item) for item in operation.left]
    return output.pairs(lines)
