"""`toolkit app status | restart`: MapApp's own pods, which hold the default group in memory (L1)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from toolkit import figures
from toolkit.actions.app.restart import RestartApp
from toolkit.cache import memory
from toolkit.cli import diagnostics, options, output
from toolkit.cli.acting import act
from toolkit.cli.apps import command_group
from toolkit.cli.opening import opened
from toolkit.cli.output import Column, Format
from toolkit.errors import ExitCode

if TYPE_CHECKING:
    from rich.console import RenderableType

    from toolkit.cache.memory import AppMemory, AppPod

app = command_group("MapApp's own pods, which hold L1: status, restart.")


@dataclass(frozen=True)
class PodRow:
    """One pod. `loaded` is when it began to load L1; `stale`: before the last rebuild's end (null: not known);
    `memory`, `memory_request`, `memory_limit` in bytes (null: not measured, not set)."""

    name: str
    state: str
    message: str
    ready: bool
    stale: bool | None
    created: datetime | None
    loaded: datetime | None
    restarts: int
    last_end: str
    image: str
    memory: int | None
    memory_request: int | None
    memory_limit: int | None
    node: str


@app.command("status")
def status(env: options.Env = None, form: options.Output = Format.TABLE) -> None:
    """Each pod: age, image, restarts, memory, whether it is ready, and whether its L1 is older than the last rebuild.

    Exit code 1: some pod still serves the old default group, or is not ready; 3: it could not be told.
    """
    with opened(env) as connections:
        found = memory.look(connections)
        rows = [_row(one) for one in found.pods]
        if form is Format.PLAIN:
            output.rows(rows, _columns(found), form)
        else:
            output.document(_document(found, rows), form, lambda: _drawn(found, rows))
        if found.stale and form is Format.TABLE and found.deployment.rolled_out:
            diagnostics.narrate(f"next: toolkit app restart --env {connections.environment.name}")
    if not found.told:
        if found.unknown is not None:
            diagnostics.error(found.unknown)
        else:
            diagnostics.warn("The cluster knows of no rebuild that went well: which pods are stale cannot be told.")
    if found.stale or not all(one.ready for one in found.pods) or len(found.pods) < found.deployment.wanted:
        raise typer.Exit(ExitCode.FOUND_WRONG)
    if not found.told:
        raise typer.Exit(found.unknown.exit_code if found.unknown is not None else ExitCode.UNREACHABLE)


@app.command("restart")
def restart(
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Wait until all pods are new and ready.")] = True,
    timeout: Annotated[
        float | None,
        typer.Option("--timeout", metavar="SECONDS", min=1, help="Wait at most so long; the rollout then goes on."),
    ] = None,
    even_so: Annotated[
        bool, typer.Option("--even-so", help="Although a rebuild is going on, or Redis lacks the default group.")
    ] = False,
    dry_run: options.DryRun = False,
    yes: options.Yes = False,
    plan: options.PlanHash = None,
    read_only: options.ReadOnly = False,
    env: options.Env = None,
    form: options.Output = Format.TABLE,
) -> None:
    """Restart MapApp's pods by a rollout, so that each loads the new default group.

    The plan says whether users notice. Ctrl-C stops waiting; the rollout goes on.
    """
    with opened(env) as connections:
        action = RestartApp(connections, wait=wait, limit=timeout, even_so=even_so)
        act(action, connections, form, dry_run=dry_run, yes=yes, plan_hash=plan, read_only=read_only)


def _row(one: AppPod) -> PodRow:
    pod = one.pod
    container = pod.container()
    state = "Terminating" if pod.terminating else pod.reason or pod.phase
    return PodRow(
        name=pod.name,
        state=state,
        message=pod.message,
        ready=one.ready,
        stale=one.stale,
        created=pod.created,
        loaded=one.loaded,
        restarts=pod.restarts,
        last_end=container.last_reason if container is not None else "",
        image=pod.images[0] if pod.images else "",
        memory=one.memory,
        memory_request=one.request,
        memory_limit=one.limit,
        node=pod.node,
    )


def _columns(found: AppMemory) -> list[Column]:
    """Without the Deployment's name, which all pods share, in a table: that has to fit into 80 columns."""
    stem = f"{found.deployment.name}-"
    return [
        Column("pod", lambda row: diagnostics.printable(row.name.removeprefix(stem)), plain=lambda row: row.name),
        Column("L1", _l1, plain=_l1, style=_colour),
        Column("ready", _ready, style=_readiness),
        Column("loaded", lambda row: figures.age(row.loaded), plain=lambda row: figures.rfc3339(row.loaded)),
        Column("restarts", _restarts, plain=lambda row: str(row.restarts), right=True),
        Column(
            "memory",
            lambda row: _memory(row, measured=found.measured),
            plain=lambda row: "" if row.memory is None else str(row.memory),
        ),
        Column("image", lambda row: row.image.rpartition(":")[2], plain=lambda row: row.image),
    ]


def _l1(row: PodRow) -> str:
    return {True: "stale", False: "fresh", None: "unknown"}[row.stale]


def _colour(row: PodRow) -> str:
    return {True: "red", False: "green", None: "yellow"}[row.stale]


def _ready(row: PodRow) -> str:
    if row.ready:
        return "yes"
    return "no" if row.state == "Running" else f"no: {diagnostics.printable(row.state)}"


def _readiness(row: PodRow) -> str:
    return "" if row.ready else "red"


def _restarts(row: PodRow) -> str:
    return f"{row.restarts} ({row.last_end})" if row.restarts and row.last_end else str(row.restarts)


def _memory(row: PodRow, *, measured: bool) -> str:
    limit = f" of {figures.size(row.memory_limit)}" if row.memory_limit is not None else ""
    if row.memory is not None:
        return figures.size(row.memory) + limit
    if measured:
        return f"-{limit}"
    return f"asks {figures.size(row.memory_request)}" if row.memory_request is not None else "-"


def _document(found: AppMemory, rows: list[PodRow]) -> dict[str, object]:
    deployment = found.deployment
    return {
        "cluster": deployment.cluster,
        "namespace": deployment.namespace,
        "deployment": deployment.name,
        "wanted": deployment.wanted,
        "ready": sum(row.ready for row in rows),
        "rolled_out": deployment.rolled_out,
        "rebuilt": found.rebuilt,
        "stale": [row.name for row in rows if row.stale],
        "measured": found.measured,
        "pods": rows,
    }


def _drawn(found: AppMemory, rows: list[PodRow]) -> list[RenderableType]:
    from rich.text import Text

    deployment = found.deployment
    ready = sum(row.ready for row in rows)
    head = Text.assemble((deployment.name, "bold"), f" in {deployment.cluster}, namespace {deployment.namespace}: ")
    head.append(f"{ready} of {deployment.wanted} ready", style="" if ready >= deployment.wanted else "red")
    if not deployment.rolled_out:
        head.append(", a rollout is under way", style="yellow")
    parts: list[RenderableType] = [head]
    images = ", ".join(image.rpartition(":")[0] or image for image in deployment.images)
    parts.append(Text.assemble(("image         ", "dim"), diagnostics.printable(images)))
    if found.rebuilt is not None:
        parts.append(Text.assemble(("last rebuild  ", "dim"), f"ended well {figures.when(found.rebuilt)}"))
    if rows:
        parts += [Text(), output.table(rows, _columns(found))]
    if rows and not found.measured:
        text = f"memory in use is not measured: {deployment.cluster} has no metrics server that we may ask"
        parts.append(Text(text, style="dim"))
    stale = len(found.stale)
    if stale:
        text = f"{stale} of {len(rows)} pods still {'serve' if stale > 1 else 'serves'} the old default group."
        parts.append(Text(text, style="red"))
    elif found.told and rows:
        parts.append(Text("All pods began after the last rebuild.", style="green"))
    parts += [
        Text(f"{diagnostics.printable(row.name)}: {diagnostics.printable(row.message)}", style="red")
        for row in rows
        if not row.ready and row.message
    ]
    return parts
