"""`toolkit groups find --all-time`: its options, where it is carried out, and what is said of how long that takes."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from toolkit import figures
from toolkit.cli import diagnostics, output
from toolkit.cli.output import Format
from toolkit.environments import model
from toolkit.errors import UsageError

if TYPE_CHECKING:
    from toolkit.cache.search.all_time import Estimate, Unit
    from toolkit.cache.search.find import Answers
    from toolkit.progress import Progress
    from toolkit.systems.connections import Connections
    from toolkit.systems.dask_cluster import DaskCluster

_SHORT, _LONG = 10.0, 300.0  # seconds: not worth a word; worth the trouble of more machines
_ELSEWHERE = (
    "It is quicker where the data is: on BioHive (toolkit biohive run -- groups find … --all-time --slurm), or on a "
    "dask scheduler with --scheduler ADDRESS."
)

AllTime = Annotated[
    bool, typer.Option("--all-time", help="Every group that the bucket holds, however old; Redis is not asked.")
]
ListAll = Annotated[bool, typer.Option("--all", help="With --all-time: list every group, however many.")]
EstimateOnly = Annotated[
    bool, typer.Option("--estimate", help="With --all-time: search a few groups, say what all would take, and stop.")
]
Scheduler = Annotated[
    str | None,
    typer.Option("--scheduler", metavar="ADDRESS", help="With --all-time: on the workers of a dask scheduler."),
]
OnSlurm = Annotated[
    bool, typer.Option("--slurm", help="With --all-time: on jobs of SLURM, which end with it. Type it on BioHive.")
]
SlurmOptions = Annotated[
    list[str] | None,
    typer.Option(
        "--slurm-option",
        metavar="KEY=VALUE",
        help="jobs=8, partition=cpu, cores, memory, walltime …: instead of the configured one.",
    ),
]


@dataclass(frozen=True)
class Options:
    """What was typed besides --all-time."""

    estimate: bool = False
    scheduler: str | None = None
    slurm: bool = False
    slurm_options: Sequence[str] = ()

    def check(self, all_time: bool, group: str | None, everything: bool) -> None:
        """Raises UsageError for options that do not go together."""
        if not all_time:
            if self.estimate or self.scheduler or self.slurm or self.slurm_options or everything:
                raise UsageError(
                    "--all, --estimate, --scheduler, --slurm and --slurm-option go with --all-time.",
                    hint="Without it only the groups of Redis and the bucket are searched, which takes seconds.",
                )
            return
        if group is not None:
            raise UsageError("--all-time looks in every group, --group in one.", hint="Leave one of them out.")
        if self.scheduler and self.slurm:
            raise UsageError("--scheduler and --slurm are two places to do the same.", hint="Leave one of them out.")
        if self.slurm_options and not self.slurm:
            raise UsageError("--slurm-option goes with --slurm.")
        if self.estimate and (self.scheduler or self.slurm):
            raise UsageError("--estimate measures on this machine.", hint="Leave out --scheduler and --slurm.")


def find(connections: Connections, queries: Sequence[str], options: Options, progress: Progress) -> Answers:
    """The answers, from where `options` say."""
    from toolkit.cache.search import all_time

    with _cluster(connections, options, progress) as cluster:
        return all_time.find(connections, queries, progress, cluster=cluster, told=_tell)


def show_estimate(connections: Connections, form: Format, progress: Progress) -> None:
    """Print what it would take on this machine."""
    from toolkit.cache.search import all_time

    units, estimate = all_time.estimate(connections, progress)
    document = {
        "groups": len(units),
        "frames": sum(len(unit.frames) for unit in units),
        "bytes_total": sum(unit.bytes for unit in units),
        "new_groups": sum(1 for unit in units if unit.unknown),
        "sampled": estimate.sampled,
        "groups_left": estimate.groups,
        "bytes_left": estimate.bytes,
        "seconds_left": round(estimate.seconds, 1),
    }
    output.document(document, form, lambda: output.pairs(_pairs(units, estimate)))
    if estimate.seconds >= _LONG:
        diagnostics.narrate(f"- {_ELSEWHERE}", "dim")


def _pairs(units: Sequence[Unit], estimate: Estimate) -> list[tuple[str, str]]:
    frames = sum(len(unit.frames) for unit in units)
    held = figures.size(sum(unit.bytes for unit in units))
    pairs = [("in the bucket", f"{len(units):,} groups, {frames:,} frames, {held}")]
    new = sum(1 for unit in units if unit.unknown)
    if not new:
        return [*pairs, ("names", "all of them are known from the last time: it takes no more than looking")]
    pairs.append(("not read before", f"{new:,} groups; {estimate.sampled} of them were read now"))
    if not estimate.groups:
        return [*pairs, ("left", "nothing")]
    share = f"{estimate.bytes / estimate.bytes_total:.2%}" if estimate.bytes_total else "none"
    left = (
        f"{estimate.groups:,} groups: {figures.size(estimate.bytes)} of {figures.size(estimate.bytes_total)} ({share})"
    )
    return [*pairs, ("left to read", left), ("on this machine", f"about {figures.duration(estimate.seconds)}")]


def _tell(estimate: Estimate) -> None:
    if estimate.seconds < _SHORT:
        return
    text = (
        f"Groups left to read: {estimate.groups:,}, {figures.size(estimate.bytes)} of "
        f"{figures.size(estimate.bytes_total)}, about {figures.duration(estimate.seconds)} on this machine."
    )
    if estimate.seconds < _LONG:
        diagnostics.narrate(f"- {text}", "dim")
        return
    diagnostics.warn(f"{text} {_ELSEWHERE}")
    diagnostics.narrate("- Ctrl-C stops it; the names that were read until then are kept for the next time.", "dim")


@contextmanager
def _cluster(connections: Connections, options: Options, progress: Progress) -> Iterator[DaskCluster | None]:
    if not options.scheduler and not options.slurm:
        yield None
        return
    from toolkit.systems import dask_cluster

    if options.scheduler:
        with dask_cluster.connected(options.scheduler) as cluster:
            yield cluster
    else:
        part = _slurm(connections.environment.slurm, options.slurm_options)
        with dask_cluster.on_slurm(part, progress) as cluster:
            yield cluster


def _slurm(part: model.Slurm, typed: Sequence[str]) -> model.Slurm:
    """The configured part, with what was typed in its place."""
    values = msgspec.structs.asdict(part)
    known = [name for name, value in values.items() if not isinstance(value, tuple)]
    for text in typed:
        key, separator, value = text.partition("=")
        if key not in known or not separator:
            near = difflib.get_close_matches(key, known, n=1, cutoff=0.5)
            hint = f"Did you mean {near[0]}=…?" if near else f"There are: {', '.join(known)}."
            raise UsageError(f"--slurm-option {text!r} is not one.", hint=hint)
        values[key] = value
    try:
        found = msgspec.convert(values, model.Slurm, strict=False)
    except msgspec.ValidationError as error:
        raise UsageError(f"--slurm-option: {error}.") from error
    if found.jobs < 1 or found.cores < 1:
        raise UsageError("A cluster on SLURM needs at least one job with one core.", hint="--slurm-option jobs=4")
    return found
