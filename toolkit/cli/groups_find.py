"""`toolkit groups find`: is a perturbation in the cache data, and where?"""

from __future__ import annotations

from typing import Annotated

import typer

from toolkit.cache import find as finding
from toolkit.cache.stored import LAYERS
from toolkit.cli import all_time, diagnostics, found_answers, options
from toolkit.cli.opening import opened
from toolkit.cli.output import Format
from toolkit.cli.typed_perts import FromFile, Perts, typed
from toolkit.errors import ExitCode

_MOST_ROWS = 30  # groups that a search over hundreds lists of those that have it


def find(
    perts: Perts = None,
    file: FromFile = None,
    group: Annotated[
        str | None, typer.Option("--group", "-g", metavar="GROUP", help="Look in this group only.")
    ] = None,
    over_time: all_time.AllTime = False,
    everything: all_time.ListAll = False,
    estimate: all_time.EstimateOnly = False,
    scheduler: all_time.Scheduler = None,
    slurm: all_time.OnSlurm = False,
    slurm_options: all_time.SlurmOptions = None,
    env: options.Env = None,
    form: options.Output = Format.TABLE,
) -> None:
    """Is a pert in the cache data? Every group, Redis and the bucket side by side, every frame; names only are read.

    Exit code 0: each is there under exactly the name typed; 1: not.
    """
    where = all_time.Options(estimate, scheduler, slurm, tuple(slurm_options or ()))
    where.check(over_time, group, everything)
    queries = [] if estimate else typed(perts, file, example="toolkit groups find BRCA1 'REC-0000123 at 3'")
    with opened(env) as connections, diagnostics.watching() as progress:
        if estimate:
            all_time.show_estimate(connections, form, progress)
            return
        if over_time:
            answers = all_time.find(connections, queries, where, progress)
        else:
            answers = finding.find(connections, queries, group, progress)
            if not answers.problems and connections.redis.address.note:
                diagnostics.warn(connections.redis.address.note)
    one = len(queries) == 1 and file is None
    layers, most = (["L3"], None if everything else _MOST_ROWS) if over_time else (list(LAYERS), None)
    found_answers.show(answers, form, one=one, layers=layers, most=most)
    for note in answers.notes:
        diagnostics.narrate(f"! {note}", "yellow")
    for problem in answers.problems:
        diagnostics.error(problem)
    if answers.problems:
        raise typer.Exit(answers.problems[0].exit_code)
    if not all(found.exact for found in answers.found):
        raise typer.Exit(ExitCode.FOUND_WRONG)
