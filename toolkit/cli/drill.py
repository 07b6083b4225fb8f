"""`toolkit drill`: a case in the sandbox to find out, with its cause kept back; status, hint, answer, give-up."""

from __future__ import annotations

from typing import Annotated

import typer

from toolkit.cli import diagnostics, drill_pages, options, output
from toolkit.cli.apps import command_group
from toolkit.cli.opening import SANDBOXES
from toolkit.cli.output import Column, Format
from toolkit.drills import choice, course, store
from toolkit.drills.course import Asked
from toolkit.drills.drill import Drill, Phase
from toolkit.errors import ExitCode
from toolkit.stage import SandboxStage

app = command_group("A case in the sandbox to find out, for training.")
app.info.no_args_is_help = False

Keep = Annotated[bool, typer.Option("--keep", help="Leave the sandbox as it is; else it becomes healthy again.")]


@app.callback(invoke_without_command=True)
def begin(
    ctx: typer.Context,
    level: Annotated[
        int | None,
        typer.Option("--level", min=1, max=3, help="1: one cause. 2: one, and `why` costs points. 3: two causes."),
    ] = None,
    scenario: Annotated[
        list[str] | None,
        typer.Option("--scenario", metavar="NAME", help="For trainers: this one (twice: these two), not a picked one."),
    ] = None,
    seed: Annotated[int | None, typer.Option("--seed", help="The same seed and level pick the same case.")] = None,
    env: Annotated[
        str | None, typer.Option("--env", "-e", metavar="NAME", help=f"Where: {' or '.join(SANDBOXES)}.")
    ] = None,
    form: options.Output = Format.TABLE,
) -> None:
    """A case in the sandbox to find out: something is wrong, somebody reports it, and you look for the cause.

    Without a subcommand it begins a drill, or shows the one that is going on. The commands that you run meanwhile are
    kept (their words and exit codes, nothing else) until it is over: the score says which of them led to the cause.
    """
    if ctx.invoked_subcommand is not None:
        return
    if env is not None and env not in SANDBOXES:
        raise typer.BadParameter(f"the sandbox has {' and '.join(SANDBOXES)}", param_hint="--env")
    asked = None
    if any(given is not None for given in (level, seed, env)) or scenario:
        names = tuple(dict.fromkeys(scenario or ()))
        asked = Asked(level or max(1, len(names) * 2 - 1), seed, names, env or next(iter(SANDBOXES)))
    begun = course.begin(_stage(), asked)
    if not begun.anew:
        again = "; its case was brought about again" if begun.staged else ""
        diagnostics.narrate(f"This drill was going on already{again}.", "yellow")
    _show(begun.drill, form)


@app.command("status")
def status(form: options.Output = Format.TABLE) -> None:
    """The drill that is going on: the case, the time, what was done so far; else how the last one ended."""
    _show(store.going_on() or store.over(), form)


@app.command("hint")
def hint(form: options.Output = Format.TABLE) -> None:
    """One step of help: what to look at next. Each costs points."""
    drill = course.hint(store.needed())
    output.document(drill_pages.document(drill), form, lambda: drill_pages.hint(drill))


@app.command("answer")
def answer(
    causes: Annotated[
        list[str] | None, typer.Argument(metavar="[CAUSE]...", help="What it is; without any, all causes are listed.")
    ] = None,
    keep: Keep = False,
    form: options.Output = Format.TABLE,
) -> None:
    """Say what the cause is, by its name or nearly. A wrong answer costs points, and the drill goes on.

    Exit code 0: right, and the drill is over; 1: not, or not all of it.
    """
    drill = store.needed() if causes else None
    if not causes or drill is None:
        _list(form)
        return
    named = choice.meant(causes)
    for typed, name in zip(causes, named, strict=False):
        if typed != name:
            diagnostics.narrate(f"Taken as {name}.", "dim")
    stage = _stage()
    drill = course.answer(stage, drill, named)
    if not drill.over:
        if form is Format.TABLE:
            output.text(drill_pages.not_it(drill))
        else:
            _show(drill, form)
        raise typer.Exit(ExitCode.FOUND_WRONG)
    _show(drill, form)
    _leave(stage, keep)


@app.command("give-up")
def give_up(keep: Keep = False, form: options.Output = Format.TABLE) -> None:
    """End the drill, and be told what it was and what the shortest way would have been."""
    stage = _stage()
    going = store.going_on()
    if going is not None and going.phase is Phase.PREPARING:
        course.forget(stage)
        diagnostics.narrate("The drill had not begun yet; it is taken away.")
        _show(None, form)
        return
    drill = course.give_up(stage, store.needed())
    _show(drill, form)
    _leave(stage, keep)


def _stage() -> SandboxStage:
    return SandboxStage(lambda text: diagnostics.narrate(text, "dim"))


def _show(drill: Drill | None, form: Format) -> None:
    if form is Format.PLAIN and drill is not None:
        output.block(drill_pages.plain(drill))
        return
    output.document(drill_pages.document(drill), form, lambda: drill_pages.page(drill))


def _leave(stage: SandboxStage, keep: bool) -> None:
    """The sandbox after the end: healthy again, unless somebody wants to look around in it."""
    if stage.drill() is None:
        return
    if not keep and diagnostics.can_ask():
        typed = diagnostics.ask("Make the sandbox healthy again? [Y/n]").lower()
        keep = typed in ("n", "no")
    course.leave(stage, keep=keep)
    words = "stays as it is; `toolkit sandbox scenario healthy` mends it" if keep else "is healthy again"
    diagnostics.narrate(f"The sandbox {words}.", "dim")


def _list(form: Format) -> None:
    from toolkit.checks.diagnosis.causes import CAUSES

    rows = [{"cause": cause.name, "title": cause.title} for cause in CAUSES]
    columns = [Column("cause", lambda row: row["cause"], style=lambda _: "bold"), Column("", lambda row: row["title"])]
    output.rows(rows, columns, form)
