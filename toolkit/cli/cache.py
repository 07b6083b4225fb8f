"""`toolkit cache status | history | schedule | rebuild`: the cache manager, in the cluster it really runs in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from toolkit import figures
from toolkit.actions.rebuild import RebuildCache
from toolkit.actions.rebuild.facts import facts, minutes
from toolkit.cache import rebuilds
from toolkit.cache.schedules import local
from toolkit.cli import diagnostics, options, output
from toolkit.cli.acting import STYLES, act
from toolkit.cli.apps import command_group
from toolkit.cli.opening import opened
from toolkit.cli.output import Column, Format

if TYPE_CHECKING:
    from rich.console import RenderableType

    from toolkit.cache.rebuilds import CacheManager
    from toolkit.environments.model import Environment
    from toolkit.systems.cluster.objects import Job

app = command_group("The cache manager: status, history, schedule, rebuild.")


@dataclass(frozen=True)
class Run:
    """One run of the cache manager. `state`: pending, running, complete or failed; `manual`: started by hand."""

    name: str
    state: str
    started: datetime | None
    finished: datetime | None
    seconds: float | None
    manual: bool
    reason: str
    message: str
    image: str
    cluster: str
    namespace: str


@dataclass(frozen=True)
class Times:
    """When the cache manager runs by itself; at none of these times while it is `suspended`."""

    schedule: str
    time_zone: str
    suspended: bool
    next: tuple[datetime, ...]


@app.command("status")
def status(env: options.Env = None, form: options.Output = Format.TABLE) -> None:
    """Which cluster the cache manager is in, how its last runs ended, when it runs next, whether its image is right."""
    with opened(env) as connections:
        manager = rebuilds.look(connections)
        address = rebuilds.cluster_of(connections).address
        environment = connections.environment
        output.document(_status(manager, address), form, lambda: _drawn_status(manager, environment, address))


@app.command("history")
def history(
    limit: Annotated[int | None, typer.Option("--limit", "-n", min=1, help="Show at most so many runs.")] = None,
    env: options.Env = None,
    form: options.Output = Format.TABLE,
) -> None:
    """The runs that the cluster still knows, the newest first."""
    with opened(env) as connections:
        jobs = rebuilds.history(connections)
        shown = jobs[:limit]
        zone = connections.environment.time_zone
        output.rows(
            [_run(job) for job in shown],
            [
                Column(
                    "started", lambda run: _local(run.started, zone), plain=lambda run: figures.rfc3339(run.started)
                ),
                Column("state", _state, plain=lambda run: run.state, style=_colour),
                Column("took", lambda run: _took(run.seconds), plain=lambda run: f"{run.seconds or 0:.0f}", right=True),
                Column("by", lambda run: "hand" if run.manual else "schedule"),
                Column("image", lambda run: run.image.rpartition("/")[2]),
                Column("job", lambda run: run.name),
            ],
            form,
            empty="The cluster knows no runs: it keeps only the last few (see the CronJob's history limits).",
        )
        if len(shown) < len(jobs):
            diagnostics.narrate(f"{len(shown):,} of {len(jobs):,} runs shown.", "dim")


@app.command("schedule")
def schedule(
    count: Annotated[int, typer.Option("--count", "-n", min=1, max=1000, help="How many runs to tell.")] = 5,
    env: options.Env = None,
    form: options.Output = Format.TABLE,
) -> None:
    """When the cache manager runs by itself, in the environment's time zone and in UTC."""
    with opened(env) as connections:
        found = rebuilds.schedule(connections, count)
        zone = connections.environment.time_zone
        if form is Format.PLAIN:
            for at in found.next:
                output.text(figures.rfc3339(at))
            return
        times = Times(found.expression, found.time_zone, found.suspended, found.next)

        def draw() -> list[RenderableType]:
            from rich.text import Text

            head = Text(f"{found.expression!r} in {found.time_zone}")
            if found.suspended:
                head.append("  suspended: it runs at none of these times", style="yellow")
            columns = [
                Column("next runs", lambda at: local(at, zone)),
                Column("", lambda at: figures.age(at), style=lambda _: "dim"),
            ]
            return [head, output.table(found.next, columns)]

        output.document(times, form, draw)


@app.command("rebuild")
def rebuild(
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Wait until the run is over, and prove it.")] = True,
    follow: Annotated[
        bool, typer.Option("--follow/--no-follow", help="Show the pod's log while it is waited for.")
    ] = True,
    even_if_suspended: Annotated[
        bool, typer.Option("--even-if-suspended", help="Run it although its CronJob is suspended.")
    ] = False,
    dry_run: options.DryRun = False,
    yes: options.Yes = False,
    plan: options.PlanHash = None,
    read_only: options.ReadOnly = False,
    env: options.Env = None,
    form: options.Output = Format.TABLE,
) -> None:
    """Run the cache manager now: drops the groups from Redis, builds them anew, writes them to Redis and the bucket.

    The plan shows the cluster it would use, and that the CronJob is in no other. Ctrl-C stops waiting; the run goes on.
    """
    with opened(env) as connections:
        action = RebuildCache(connections, follow=follow, wait=wait, even_if_suspended=even_if_suspended)
        act(action, connections, form, dry_run=dry_run, yes=yes, plan_hash=plan, read_only=read_only)


def _status(manager: CacheManager, address: str) -> dict[str, object]:
    """The status as programs get it. The job template stays out: containers' variables may hold secrets."""
    cronjob, identity, image, times = manager.cronjob, manager.identity, manager.image, manager.schedule
    wanted = image.wanted
    return {
        "cluster": cronjob.cluster,
        "address": address,
        "cluster_uid": identity.uid if identity else None,
        "namespace": cronjob.namespace,
        "cronjob": cronjob.name,
        "schedule": cronjob.schedule,
        "time_zone": times.time_zone if times else cronjob.time_zone,
        "next": times.next[0] if times and times.next and not cronjob.suspended else None,
        "suspended": cronjob.suspended,
        "concurrency_policy": cronjob.concurrency_policy,
        "last_scheduled": cronjob.last_scheduled,
        "last_successful": cronjob.last_successful,
        "images": list(cronjob.images),
        "wanted_images": list(wanted.images) if wanted else None,
        "wanted_commit": wanted.commit if wanted else None,
        "image_match": str(image.match),
        "running": [_run(job) for job in manager.running],
        "last": _run(manager.ended[0]) if manager.ended else None,
        "elsewhere": [
            {
                "cluster": other.cluster,
                "namespaces": [one.namespace for one in other.found],
                "problem": other.problem,
            }
            for other in manager.elsewhere
        ],
        "problems": list(manager.problems),
    }


def _drawn_status(manager: CacheManager, environment: Environment, address: str) -> list[RenderableType]:
    from rich.table import Table
    from rich.text import Text

    grid = Table.grid(padding=(0, 2))
    for style in ("", "dim", ""):
        grid.add_column(style=style, overflow="fold")
    for one in facts(manager, environment, address):
        grid.add_row(Text(one.status.sign, style=STYLES[one.status]), one.label, Text(one.value))
    if manager.running:
        job = manager.running[0]
        begun = job.started or job.created
        state = f"now running: Job {job.name}{f', since {figures.when(begun)}' if begun else ''}"
        head = Text(state, style="bold yellow")
    else:
        head = Text("not running", style="bold")
    return [head, grid]


def _run(job: Job) -> Run:
    return Run(
        name=job.name,
        state=job.state,
        started=job.started or job.created,
        finished=job.finished,
        seconds=job.seconds,
        manual=job.manual,
        reason=job.reason,
        message=job.message,
        image=job.image,
        cluster=job.cluster,
        namespace=job.namespace,
    )


def _state(run: Run) -> str:
    return f"{run.state} ({run.reason})" if run.reason else run.state


def _colour(run: Run) -> str:
    return {"failed": "red", "complete": "green"}.get(run.state, "yellow")


def _took(seconds: float | None) -> str:
    return "-" if seconds is None else minutes(seconds)


def _local(moment: datetime | None, zone: str) -> str:
    return "-" if moment is None else local(moment.astimezone(UTC), zone)
