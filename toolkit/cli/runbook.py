"""`toolkit runbook list | show | run | resume | report | lint`: guided walkthroughs, for people and for scripts."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from toolkit import figures
from toolkit.cli import diagnostics, options, output, runbook_bundle
from toolkit.cli.apps import command_group
from toolkit.cli.output import Column, Format
from toolkit.errors import ExitCode, ToolkitError, UsageError

if TYPE_CHECKING:
    from rich.console import RenderableType

    from toolkit.walkthrough.case import Case
    from toolkit.walkthrough.person import Decision
    from toolkit.walkthrough.record import Record

app = command_group("Guided walkthroughs that check and act by themselves: list, show, run, resume, report, lint.")

Set = Annotated[
    list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="An input or answer, known beforehand.")
]
AllowShell = Annotated[bool, typer.Option("--allow-shell", help="Offer to run shell blocks; each one is asked.")]


@app.command("list")
def list_(form: options.Output = Format.TABLE) -> None:
    """Every runbook: its name, and the symptom that it is for."""
    from toolkit.walkthrough.library import library, read_file

    items = []
    for name, file in library().files().items():
        runbook = read_file(file)
        item = {
            "name": name,
            "title": runbook.title,
            "symptom": runbook.symptom,
            "owner": runbook.owner,
            "last_proven": runbook.last_proven,
            "file": str(file),
            "problems": len(runbook.problems),
        }
        items.append(item)
    columns = [
        Column("runbook", lambda item: item["name"]),
        Column("for", lambda item: diagnostics.printable(item["symptom"])),
    ]
    output.rows(items, columns, form)
    wrong = [str(item["name"]) for item in items if item["problems"]]
    if wrong:
        diagnostics.warn(f"{', '.join(wrong)} cannot be walked as it is: toolkit runbook lint")


@app.command()
def show(
    name: Annotated[str, typer.Argument(help="Its name, or its file.")], form: options.Output = Format.TABLE
) -> None:
    """A runbook as a page, as it is written."""
    from toolkit.walkthrough.library import library

    runbook = library().runbook(name)
    item = {
        "name": runbook.name,
        "title": runbook.title,
        "symptom": runbook.symptom,
        "inputs": list(runbook.inputs),
        "steps": [{"name": step.name, "title": step.title} for step in runbook.steps],
        "text": runbook.text,
    }
    if form is Format.PLAIN:
        output.block([diagnostics.printable(line) for line in runbook.text.splitlines()])
        return
    output.document(item, form, lambda: _page(runbook.title, runbook.symptom, runbook.text))


@app.command()
def run(
    name: Annotated[str, typer.Argument(help="The runbook's name, or its file.")],
    given: Set = None,
    env: options.Env = None,
    yes: options.Yes = False,
    plan_hash: options.PlanHash = None,
    allow_shell: AllowShell = False,
    read_only: options.ReadOnly = False,
    form: options.Output = Format.TABLE,
) -> None:
    """Walk through a runbook, one step at a time; its checks answer by themselves, its actions pass the gate.

    Where nobody sits at a terminal, or with --yes, it goes on by itself as far as it can. Exit code 0 when it came to
    its end and all is well, 1 when something is wrong or a step is stuck, 3 when a check could not be answered, 5 when
    a step needs a person.
    """
    from toolkit.walkthrough.answers import check_names
    from toolkit.walkthrough.library import Library, folders
    from toolkit.walkthrough.record import Record
    from toolkit.walkthrough.walk import begin

    beside = [Path(name).parent] if name.endswith(".md") and Path(name).is_file() else []
    library = Library([*beside, *folders()])
    runbook = library.runbook(name)
    values = _values(given)
    check_names(runbook, values)
    record = Record()
    case = begin(record, runbook, library)
    _walk(record, case, values, None, env, yes, plan_hash, allow_shell, read_only, form)


@app.command()
def resume(
    case_id: Annotated[
        str | None,
        typer.Argument(
            metavar="[CASE|FILE.zip]", help="The case's id, or its beginning; a colleague's bundle; none: list them."
        ),
    ] = None,
    given: Set = None,
    done: Annotated[str | None, typer.Option("--done", metavar="NOTE", help="The step is done; then go on.")] = None,
    skip: Annotated[str | None, typer.Option("--skip", metavar="REASON", help="Skip the step; then go on.")] = None,
    stuck: Annotated[str | None, typer.Option("--stuck", metavar="NOTE", help="The step is stuck.")] = None,
    jump: Annotated[str | None, typer.Option("--jump", metavar="STEP", help="Go to another step.")] = None,
    back: Annotated[bool, typer.Option("--back", help="Go back to the step before.")] = False,
    env: options.Env = None,
    yes: options.Yes = False,
    plan_hash: options.PlanHash = None,
    allow_shell: AllowShell = False,
    read_only: options.ReadOnly = False,
    form: options.Output = Format.TABLE,
) -> None:
    """Go on with a case where it was left, or killed. Without a case: which there are.

    A bundle that a colleague made (`report CASE --bundle FILE.zip`) becomes a case of yours: its history is marked as
    theirs, and what their checks found is asked again. Exit codes as `run` has them.
    """
    from toolkit.walkthrough.person import Decision
    from toolkit.walkthrough.record import Record

    record = Record()
    if case_id is None:
        _list(record, form)
        return
    decisions = [Decision("done", done)] if done is not None else []
    decisions += [Decision("skip", skip)] if skip is not None else []
    decisions += [Decision("stuck", stuck)] if stuck is not None else []
    decisions += [Decision("jump", jump)] if jump is not None else []
    decisions += [Decision("back")] if back else []
    if len(decisions) > 1:
        raise UsageError("One of --done, --skip, --stuck, --jump and --back at a time.")
    came = case_id.lower().endswith(".zip")
    case = (
        runbook_bundle.taken_over(record, Path(case_id), attended=diagnostics.can_ask() and not yes)
        if came
        else record.case(case_id)
    )
    if case.here is None and not came:
        raise UsageError(f"Case {case.id} has ended.", hint=f"`toolkit runbook report {case.id}` shows how.")
    if env and case.environment and env != case.environment:
        raise UsageError(
            f"Case {case.id} is about {case.environment}, not {env}.", hint="A walk in another one is a new case."
        )
    decision = decisions[0] if decisions else None
    env = case.environment or env
    _walk(record, case, _values(given), decision, env, yes, plan_hash, allow_shell, read_only, form)


@app.command()
def report(
    case_id: Annotated[str, typer.Argument(metavar="CASE", help="The case's id, or its beginning.")],
    bundle: Annotated[
        Path | None,
        typer.Option("--bundle", metavar="FILE.zip", help="Put it into one file, for a colleague to go on with."),
    ] = None,
    form: options.Output = Format.TABLE,
) -> None:
    """A case as Markdown: symptom, steps, findings, actions with their plans, open questions, timeline.

    With --bundle: a zip with the report, the case's record, the runbooks' text as walked, and versions; secrets are
    scrubbed. `toolkit runbook resume FILE.zip` goes on with it elsewhere.
    """
    from toolkit.walkthrough import report as reports
    from toolkit.walkthrough.record import Record

    record = Record()
    case = record.case(case_id)
    if bundle is not None:
        runbook_bundle.written(record, case, bundle, form)
    elif form in (Format.JSON, Format.JSONL):
        output.document(reports.document(record, case), form, lambda: "")
    else:
        output.block(reports.report(record, case).splitlines())


@app.command()
def lint(
    files: Annotated[list[Path] | None, typer.Argument(metavar="[PATH]…", help="Files or folders; none: all.")] = None,
    form: options.Output = Format.TABLE,
) -> None:
    """Mistakes in runbooks: unknown checks and actions, wrong inputs, steps out of reach, dead links, endless loops.

    Each on a line: file:line:column: message. Exit code 1 when there is one.
    """
    from toolkit.walkthrough.lint import lint as linted

    problems, count = linted(files or None)
    if form in (Format.JSON, Format.JSONL):
        output.rows(problems, [], form)
    else:
        output.block([diagnostics.printable(one.line_text) for one in problems])
    if problems:
        diagnostics.narrate(f"{_counted(len(problems), 'mistake')} in {_counted(count, 'runbook')}.", "red")
        raise typer.Exit(ExitCode.FOUND_WRONG)
    diagnostics.narrate(f"{_counted(count, 'runbook')}, no mistake.", "green")


def _walk(
    record: Record,
    case: Case,
    given: dict[str, str],
    decision: Decision | None,
    env: str | None,
    yes: bool,
    plan_hash: str | None,
    allow_shell: bool,
    read_only: bool,
    form: Format,
) -> None:
    """Walk on, show what came of it, and end the command with the right exit code."""
    from toolkit.cli.opening import opened
    from toolkit.cli.walking import AtTerminal, InScript
    from toolkit.walkthrough import report as reports
    from toolkit.walkthrough.library import library
    from toolkit.walkthrough.walk import Walk

    attended = diagnostics.can_ask() and not yes
    person = AtTerminal(plan_hash, allow_shell) if attended else InScript(yes, plan_hash)
    diagnostics.narrate(f"Case {case.id}: {diagnostics.printable(case.title)}", "bold")
    problem: ToolkitError | None = None
    with ExitStack() as stack:
        walk = Walk(
            record,
            case,
            library(),
            person,
            lambda: stack.enter_context(opened(env)),
            given=given,
            watch=diagnostics.watching,
            read_only=read_only,
            shell=allow_shell,
        )
        try:
            walk.go(decision)
        except ToolkitError as error:
            problem = error
        except KeyboardInterrupt:
            diagnostics.narrate("")
            raise
        finally:
            if walk.case.here is not None:
                diagnostics.narrate(f"To go on: toolkit runbook resume {case.id}", "bold")
    case = walk.case
    item = reports.document(record, case)
    if problem is not None:
        item["stopped"] = {"message": problem.message, "hint": problem.hint}
    output.document(item, form, lambda: _ending(case, item))
    if problem is not None:
        raise problem
    if case.result is not None:
        raise typer.Exit(case.result.exit_code)
    stuck = any(step["state"] == "stuck" for step in item["steps"])
    raise typer.Exit(ExitCode.FOUND_WRONG if stuck else ExitCode.OK)


def _list(record: Record, form: Format) -> None:
    items = [
        {
            "case": case.id,
            "started": figures.rfc3339(case.started),
            "runbook": case.runbook,
            "environment": case.environment,
            "from": case.origin.who if case.origin else None,
            "here": case.here[1] if case.here else None,
            "result": case.result,
        }
        for case in record.cases()
    ]
    columns = [
        Column("case", lambda item: item["case"]),
        Column("started", lambda item: item["started"]),
        Column("runbook", lambda item: item["runbook"]),
        Column("environment", lambda item: item["environment"] or "-"),
        Column("where it is", lambda item: item["here"] or f"ended: {item['result']}"),
    ]
    if any(item["from"] for item in items):
        columns.append(Column("from", lambda item: diagnostics.printable(item["from"] or "")))
    output.rows(items, columns, form, empty="No case yet: toolkit runbook run NAME begins one.")


def _counted(count: int, what: str) -> str:
    return f"{count:,} {what}" if count == 1 else f"{count:,} {what}s"


def _values(given: Sequence[str] | None) -> dict[str, str]:
    values = {}
    for pair in given or ():
        name, sign, value = pair.partition("=")
        if not sign or not name:
            raise UsageError(f"--set {pair!r} has to be NAME=VALUE.", hint="For example --set pert=BRCA1")
        values[name] = value
    return values


def _page(title: str, symptom: str, text: str) -> list[RenderableType]:
    from rich.markdown import Markdown
    from rich.text import Text

    body = text.split("\n---", 1)[-1].lstrip("-\n")
    clean = "\n".join(diagnostics.printable(line) for line in body.splitlines())
    del title
    return [Text(f"For: {diagnostics.printable(symptom)}", style="dim"), Markdown(clean)]


def _ending(case: Case, item: dict[str, object]) -> list[RenderableType]:
    from rich.text import Text

    ended = {"well": ("All is well.", "bold green"), "wrong": ("Something is wrong.", "bold red")}
    if case.result is None:
        said = Text("The walk is not at its end.", style="bold yellow")
    else:
        said = Text(*ended.get(case.result, ("A check could not be answered.", "bold yellow")))
    steps = item["steps"]
    assert isinstance(steps, list)  # noqa: S101 - it is, in the document
    table = output.table(
        steps,
        [
            Column("step", lambda step: step["step"]),
            Column("state", lambda step: step["state"]),
            Column("note", lambda step: diagnostics.printable(step["note"])),
        ],
    )
    return [table, said, Text(f"The record: toolkit runbook report {case.id}", style="dim")]
