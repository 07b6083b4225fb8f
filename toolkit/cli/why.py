"""`toolkit why`: from a symptom to its cause, with the evidence, what mends it, and whom to ask."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from toolkit.checks.diagnosis import asking
from toolkit.checks.diagnosis.cause import Asked
from toolkit.checks.diagnosis.causes import HEALTHY, SETTINGS
from toolkit.checks.diagnosis.verdict import Judged, Verdict, verdict
from toolkit.checks.finding import Finding, Status
from toolkit.cli import diagnostics, options, output
from toolkit.cli.apps import single_command
from toolkit.cli.opening import opened
from toolkit.cli.output import Format
from toolkit.errors import ExitCode, UsageError
from toolkit.progress import Progress

if TYPE_CHECKING:
    from rich.console import RenderableType

app = single_command("Why is a pert or a group missing, the map odd, or somebody kept out?")


@app.command()
def why(
    pert: Annotated[
        str | None, typer.Argument(metavar="[PERT]", help="A gene or compound, also at a concentration.")
    ] = None,
    group: Annotated[
        str | None, typer.Option("--group", "-g", metavar="GROUP", help="In this group, or why is this group missing.")
    ] = None,
    funny: Annotated[bool, typer.Option("--map", help="The map looks funny.")] = False,
    user: Annotated[
        str | None, typer.Option("--user", "-u", metavar="WHO", help="Who reports it (e-mail): do they get in at all?")
    ] = None,
    access: Annotated[
        str | None, typer.Option("--access", metavar="WHO", help="Why does WHO (e-mail) not get in?")
    ] = None,
    env: options.Env = None,
    form: options.Output = Format.TABLE,
) -> None:
    """Why is PERT (or a group) missing, the map odd, or somebody kept out? Asks all systems side by side, and names
    the cause.

    Only reads. Exit code 0: nothing is wrong; 1: a cause was found; 3: it could not be told.
    """
    if user and access and user.strip() != access.strip():
        raise UsageError("--user and --access name two people.", hint="Ask about one at a time.")
    asked = Asked((pert or "").strip(), (group or "").strip(), funny, (access or user or "").strip())
    found: dict[str, Finding] = {}
    with opened(env) as connections:
        name = connections.environment.name
        for finding in asking.findings(connections, asked, Progress()):
            found[finding.name] = finding
            if form is Format.TABLE:
                output.block([diagnostics.printable(_line(finding))])
            elif form is Format.JSONL:
                output.document(_finding(finding), form, lambda: "")
        reached = verdict(asked, found)
    document = _document(reached, found, name)
    match form:
        case Format.PLAIN:
            for cause in document["verdict"]["causes"]:
                output.text(f"{cause['cause']}\t{cause['confidence']}\t{','.join(cause['because'])}")
        case _:
            output.document(document, form, lambda: _drawn(reached, found, name))
    if form is not Format.TABLE and reached.untold:
        names = ", ".join(one.untold_for for one in reached.untold)
        diagnostics.narrate(f"could not tell: {names}", "yellow")
    if reached.causes or reached.barred[0]:
        raise typer.Exit(ExitCode.FOUND_WRONG)
    if not reached.healthy:
        raise typer.Exit(ExitCode.UNREACHABLE)


def _document(reached: Verdict, found: Mapping[str, Finding], environment: str) -> dict[str, Any]:
    causes = [
        {
            "cause": one.cause.name,
            "confidence": one.judgement.confidence,
            "because": list(one.judgement.checks),
            "mend": [
                {mend.kind: mend.name, "command": mend.ready(environment, reached.asked)}
                for mend in reached.mends(one.cause)
            ],
        }
        for one in reached.causes
    ]
    if reached.healthy:
        causes = [{"cause": HEALTHY, "confidence": 0.9, "because": list(found), "mend": []}]
    asked = reached.asked
    return {
        "question": {
            "pert": asked.pert or None,
            "group": asked.group or None,
            "map": asked.map,
            "who": asked.who or None,
        },
        "verdict": {"causes": causes, "ours": reached.ours, "ask": reached.ask, "barred": reached.barred[0] or None},
        "findings": [_finding(finding) for finding in found.values()],
        "ruled_out": [{"cause": one.cause.name, "by": one.judgement.checks[0]} for one in reached.ruled_out],
    }


def _finding(finding: Finding) -> dict[str, object]:
    return {
        "check": finding.name,
        "status": str(finding.status),
        "summary": finding.summary,
        "seconds": finding.seconds,
    }


def _line(finding: Finding) -> str:
    return f"{finding.status.sign} {finding.name:<24}{finding.summary}"


def _drawn(reached: Verdict, found: Mapping[str, Finding], environment: str) -> list[RenderableType]:
    from rich.text import Text

    parts: list[RenderableType] = [Text("")]
    for number, one in enumerate(reached.causes):
        parts += _cause(one, reached, environment, first=number == 0)
    if reached.healthy:
        parts.append(Text("Nothing is wrong with the cache.", style="bold green"))
        parts.append(Text("Then it may be the user's own settings. Ask:"))
        parts += [Text(f"  · {question}") for question in SETTINGS]
    if reached.barred[0]:
        line = (("Kept out: ", "bold red"), diagnostics.printable(reached.barred[0]))
        parts += [Text.assemble(*line), Text.assemble(("ask      ", "dim"), reached.barred[1]), Text("")]
    if reached.lost:
        parts.append(Text(diagnostics.printable(reached.lost), style="yellow"))
    if reached.ruled_out:
        parts.append(_listed("ruled out", [one.ruled_out_by for one in reached.ruled_out]))
    if reached.untold:
        parts.append(_listed("could not tell", [one.untold_for for one in reached.untold]))
        for finding in found.values():
            if finding.status is Status.UNKNOWN and finding.hint:
                parts.append(Text.assemble((f"{finding.name}: ", "bold"), diagnostics.printable(finding.hint)))
    return parts


def _cause(one: Judged, reached: Verdict, environment: str, *, first: bool) -> list[RenderableType]:
    from rich.text import Text

    cause, judgement = one.cause, one.judgement
    head = "Cause: " if first else "And:   "
    lines: list[RenderableType] = [
        Text.assemble((head, "bold red"), (cause.name, "bold"), f" ({judgement.confidence:.0%})  {cause.title}"),
        Text.assemble(("because  ", "dim"), diagnostics.printable(judgement.why), f" [{', '.join(judgement.checks)}]"),
    ]
    lines += [
        Text.assemble(("mend     ", "dim"), mend.ready(environment, reached.asked)) for mend in reached.mends(cause)
    ]
    if cause.ask:
        lines.append(Text.assemble(("ask      ", "dim"), cause.ask))
    lines.append(Text(""))
    return lines


def _listed(label: str, names: list[str]) -> RenderableType:
    from rich.text import Text

    return Text.assemble((f"{label}: ", "dim"), ", ".join(names), style="dim")
