"""Getting folders and objects of L3: from what was asked for to files here. Nothing outside is changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from toolkit.actions.bucket.selection import select
from toolkit.cache.frame_names import folder
from toolkit.progress import Progress
from toolkit.systems.bucket.names import Target, argument, target
from toolkit.systems.bucket.objects import DownloadResult, Wanted
from toolkit.systems.bucket.transfer import Failure, placed
from toolkit.systems.measured import measured

if TYPE_CHECKING:
    from toolkit.systems.connections import Connections

_WRITTEN = 20  # paths of a command that are written out


def get(
    connections: Connections,
    paths: Sequence[str | Target],
    to: Path,
    progress: Progress,
    *,
    overwrite: bool = False,
) -> DownloadResult:
    """Download what `paths` mean below `to`, each file checked by its CRC32C, and resumed where an earlier try stopped.

    Objects that were named alone keep the folders that they do not have in common. Names that cannot be files here come
    back as failures. Raises NotFound where a path means nothing, and what `Bucket.download` raises.
    """
    bucket, environment = connections.bucket, connections.environment
    prefix = folder(environment.bucket.prefix)
    wanted: list[Wanted] = []
    refused: list[Failure] = []
    meant = [target(path, bucket.name) if isinstance(path, str) else path for path in paths]
    alone = [one for one in meant if one.only]
    for one in meant:
        if not one.only:
            progress.check_stop()
            more, no = placed(select(bucket, [one], prefix).objects, one, to)
            wanted += more
            refused += no
    if alone:
        first, last = min(one.above for one in alone), max(one.above for one in alone)
        same = next((n for n, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), len(first))
        common = first[: first[:same].rfind("/") + 1]
        more, no = placed(select(bucket, alone, prefix).objects, Target(f"{common}x", only=True), to)
        wanted += more
        refused += no
    named = " ".join(argument(bucket.url(one.path)) for one in meant) if len(meant) <= _WRITTEN else "PATH…"
    command = f"bucket get {named} --env {environment.name}"
    with measured(environment, command, progress) as timed:
        result = bucket.download(wanted, timed, overwrite=overwrite)
    return replace(result, failed=(*refused, *result.failed))
