"""`toolkit access check`: does somebody get in, by which rule, and if not: who can change it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from toolkit.checks import access as checks_access
from toolkit.checks.finding import Finding, Status
from toolkit.cli import diagnostics, options, output
from toolkit.cli.acting import STYLES
from toolkit.cli.apps import command_group
from toolkit.cli.opening import opened
from toolkit.cli.output import Format
from toolkit.errors import ExitCode, ToolkitError

if TYPE_CHECKING:
    from rich.console import RenderableType

app = command_group("Who gets in: check.")


@app.callback()
def group() -> None:
    """Who gets in: check."""


@app.command("check")
def check(
    who: Annotated[str, typer.Argument(metavar="WHO", help="The e-mail address they sign in with.")],
    env: options.Env = None,
    form: options.Output = Format.TABLE,
    letter: Annotated[bool, typer.Option("--text", help="Print only the text that is ready to send.")] = False,
) -> None:
    """Does WHO get in? The door's policy, their Okta groups, the rule that decides, and whom to ask.

    Only reads. Exit code 0: they get in; 1: they do not; 3: it is not known (2 or 4 where the configuration, or a
    missing right, is why).
    """
    with opened(env) as connections:
        seen = checks_access.look(connections, who)
        name = connections.environment.name
    found = checks_access.finding(seen)
    if letter:
        diagnostics.narrate(found.summary, "dim")
        for line in str(found.facts["text"]).splitlines():
            output.text(line)
    elif form is Format.PLAIN:
        facts = found.facts
        output.text("\t".join([facts["who"], facts["verdict"], ",".join(facts["wanted"]), facts["ask"]]))
    else:
        document = {
            "environment": name,
            **found.facts,
            "status": str(found.status),
            "summary": found.summary,
            "hint": found.hint,
            "by_hand": list(found.by_hand),
        }
        output.document(document, form, lambda: _drawn(found))
    if found.status is not Status.OK:
        raise typer.Exit(ExitCode.FOUND_WRONG if found.status is Status.FAIL else _unknown(seen.problem))


def _unknown(problem: ToolkitError | None) -> ExitCode:
    """Why it is not known: what is only missing counts as not reached."""
    if problem is None or problem.exit_code is ExitCode.FOUND_WRONG:
        return ExitCode.UNREACHABLE
    return problem.exit_code


def _drawn(found: Finding) -> list[RenderableType]:
    from rich.text import Text

    facts = found.facts
    parts: list[RenderableType] = [
        Text(f"{found.status.sign} {diagnostics.printable(found.summary)}", style=STYLES[found.status])
    ]
    lines = [("", line) if ": " not in line else tuple(line.split(": ", 1)) for line in found.evidence]
    lines += [("next", found.hint)] if found.hint else []
    lines += [("ask", facts["ask"])] if facts["ask"] else []
    lines += [("by hand", command) for command in found.by_hand]
    parts.append(output.pairs([(label, diagnostics.printable(value)) for label, value in lines]))
    if facts["text"]:
        parts.append(Text(f"\nReady to send to {facts['ask']}:\n", style="dim"))
        parts += [Text(diagnostics.printable(line)) for line in facts["text"].splitlines()]
    return parts
