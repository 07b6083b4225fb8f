"""`toolkit sandbox start | stop | status | scenario | noise`: a world in small, on this machine, to try things on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from toolkit import figures
from toolkit.cli import diagnostics, options, output
from toolkit.cli.apps import command_group
from toolkit.cli.opening import SANDBOXES
from toolkit.cli.output import Column, Format
from toolkit.sandbox import client

if TYPE_CHECKING:
    from rich.console import RenderableType

app = command_group("A world in small to try things on: start, stop, status, scenario, noise.")


@dataclass(frozen=True)
class Row:
    """A scenario that can be had; `on`: the world is in it now."""

    name: str
    help: str
    on: bool


@app.command("start")
def start(
    size: Annotated[str, typer.Option("--size", help="small, or full: groups of 2 GB (takes minutes).")] = "small",
    form: options.Output = Format.TABLE,
) -> None:
    """Start the sandbox, if it does not run yet. It stops by itself after half an hour of quiet."""
    if size not in ("small", "full"):
        raise typer.BadParameter("it is small or full", param_hint="--size")
    if size == "full" and client.status() is None:
        from toolkit.sandbox import room

        diagnostics.narrate(room.in_words(), "dim")
        with diagnostics.watching() as progress:
            running = client.start(size=size, progress=progress)
    else:
        running = client.start(size=size)
    diagnostics.narrate("Started the sandbox." if running.started_now else "The sandbox runs already.", "dim")
    _show(client.status(), form)


@app.command("stop")
def stop(form: options.Output = Format.TABLE) -> None:
    """Stop the sandbox; nothing of it stays."""
    stopped = client.stop()
    words = "The sandbox is stopped." if stopped else "No sandbox was running."
    if _drill_goes_on():
        diagnostics.narrate("A drill is going on: `toolkit drill` brings its case about again.", "yellow")
    output.document({"running": False, "stopped": stopped}, form, lambda: words)


@app.command("status")
def status(form: options.Output = Format.TABLE) -> None:
    """Does it run, where do its servers listen, in which scenario is it?"""
    _show(client.status(), form)


@app.command("scenario")
def scenario(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="NAME...", help="Which; without any, all of them are listed.")
    ] = None,
    env: Annotated[
        str | None, typer.Option("--env", "-e", metavar="NAME", help=f"Where: {' or '.join(SANDBOXES)}.")
    ] = None,
    form: options.Output = Format.TABLE,
) -> None:
    """Bring the sandbox's world into a state: everything healthy first, then each scenario as it comes about in life.

    Several can be had together. Starts the sandbox, if it does not run.
    """
    if not names:
        _list(form)
        return
    if env is not None and env not in SANDBOXES:
        raise typer.BadParameter(f"the sandbox has {' and '.join(SANDBOXES)}", param_hint="--env")
    from toolkit.drills import store
    from toolkit.sandbox import scenarios

    store.refuse_beside("another scenario would take it away")
    scenarios.chosen(names)  # a name that is not known starts nothing
    if client.start().started_now:
        diagnostics.narrate("Started the sandbox; it stops by itself after half an hour of quiet.", "dim")
    _show(client.apply_scenario(names, env or ""), form)


@app.command("noise")
def noise(
    rate: Annotated[float, typer.Option("--rate", min=0, max=5000, help="Lines a second; 0 ends it.")] = 200,
    seconds: Annotated[float, typer.Option("--seconds", min=1, max=3600, help="For how long.")] = 60,
    pods: Annotated[int, typer.Option("--pods", min=1, help="Into how many of the app's pods, at most.")] = 3,
    env: Annotated[
        str | None, typer.Option("--env", "-e", metavar="NAME", help=f"Where: {' or '.join(SANDBOXES)}.")
    ] = None,
    form: options.Output = Format.TABLE,
) -> None:
    """Let the app's pods write many lines, each with a number of its own, to try logs on. It ends by itself."""
    if env is not None and env not in SANDBOXES:
        raise typer.BadParameter(f"the sandbox has {' and '.join(SANDBOXES)}", param_hint="--env")
    client.start()
    found = client.make_noise(rate, seconds, pods, env or "")
    words = f"{rate:g} lines a second for {seconds:g} s into {', '.join(found['pods'])}." if rate else "It is quiet."
    output.document(found, form, lambda: words)


def _list(form: Format) -> None:
    from toolkit.sandbox.scenarios import HEALTHY, HEALTHY_HELP, SCENARIOS

    found = client.status()
    on = (found["scenarios"] or ()) if found else ()
    if found and found["scenarios"] is None:
        diagnostics.narrate("A drill is going on: which of these is true now is for you to find out.", "dim")
    rows = [Row(HEALTHY, HEALTHY_HELP, HEALTHY in on)]
    rows += [Row(name, item.help, name in on) for name, item in SCENARIOS.items()]
    output.rows(
        rows,
        [
            Column("scenario", lambda row: row.name, style=lambda row: "bold green" if row.on else "bold"),
            Column("what is the matter then", lambda row: row.help),
            Column("", lambda row: "now" if row.on else "", style=lambda _: "green"),
        ],
        form,
    )


def _show(found: dict[str, Any] | None, form: Format) -> None:
    if found is None:
        words = "No sandbox is running. (toolkit sandbox start)"
        output.document({"running": False}, form, lambda: words)
        return
    output.document({"running": True, **found}, form, lambda: _drawn(found))


def _named(found: dict[str, Any]) -> str:
    if found["scenarios"] is not None:
        return ", ".join(found["scenarios"])
    if _drill_goes_on():
        return "a drill is going on: toolkit drill status"
    return "that of a drill which is over: toolkit drill status"


def _drill_goes_on() -> bool:
    from toolkit.drills import store

    return store.going_on() is not None


def _drawn(found: dict[str, Any]) -> RenderableType:
    started = datetime.fromisoformat(found["started"])
    lines = [
        ("running", f"process {found['pid']}, since {figures.when(started)}"),
        ("scenario", f"{_named(found)} (in {found['environment']})"),
    ]
    if found["size"] == "full":
        lines.append(("groups", "those in Redis have full size"))
    lines += [("reported", f"{one['who']}: “{one['words']}”") for one in found["symptoms"]]
    lines += [("redis", found["redis"]), *found["servers"].items()]
    return output.pairs(lines)
