"""The download of folders and objects of the bucket as a transfer: checked and resumed as `toolkit bucket get` does."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from toolkit.figures import size
from toolkit.progress import Progress
from toolkit.tui.session import Session
from toolkit.tui.transfer import Arrived, Transfer
from toolkit.tui.wording import counted, foreign

if TYPE_CHECKING:
    from toolkit.systems.bucket import DownloadResult
    from toolkit.systems.bucket.names import Target

_WRITTEN = 20  # paths of a command that are written out


def download(session: Session, name: str, targets: Sequence[Target], to: Path, *, overwrite: bool) -> Transfer:
    """A transfer of what `targets` mean to below `to`; not started yet."""

    def work(progress: Progress) -> Arrived:
        progress.step("listing what is to come …")
        return arrived(session.core.get(targets, to, progress, overwrite=overwrite))

    again = ""
    if len(targets) <= _WRITTEN:
        paths = " ".join(shlex.quote(f"gs://{session.environment.bucket.name}/{target.path}") for target in targets)
        again = f"toolkit bucket get {paths} --to {shlex.quote(str(to))} --env {session.environment.name}"
    return Transfer(name, work, to, again=again)


def arrived(result: DownloadResult) -> Arrived:
    """What came, as it is told."""
    parts = [f"{counted(len(result.done), 'file')}, {size(result.bytes)}"]
    if result.already_there:
        were = "file was" if len(result.already_there) == 1 else "files were"
        parts.append(f"{len(result.already_there):,} {were} there already, with the same content")
    if result.failed:
        parts.append(f"{counted(len(result.failed), 'object')} did not come")
    lines = tuple(f"✗ {foreign(item.path)}: {why}" for item, why in result.failed)
    checked = "each checked by its CRC32C" if result.done or result.already_there else ""
    return Arrived("; ".join(parts), lines, len(result.failed), checked)
