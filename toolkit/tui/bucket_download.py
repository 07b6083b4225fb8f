"""The download of folders and objects of the bucket as a transfer: checked and resumed as `toolkit bucket get` does."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from toolkit.errors import UsageError
from toolkit.figures import size
from toolkit.progress import Progress
from toolkit.tui import downloading
from toolkit.tui.session import Session
from toolkit.tui.transfer import Arrived, Came, Transfer
from toolkit.tui.wording import counted

if TYPE_CHECKING:
    from toolkit.systems.bucket import DownloadResult
    from toolkit.systems.bucket.names import Target

_WRITTEN = 20  # paths of a command that are written out
_OVERWRITE = "--overwrite"  # what a reason names where another file is in the way


def read(text: str) -> Path:
    """The folder that a typed line means. Raises UsageError."""
    try:
        return downloading.folder(shlex.split(text))
    except ValueError:
        raise UsageError("A quotation mark is not closed.") from None


def transfer(session: Session, name: str, targets: Sequence[Target], to: Path) -> Transfer:
    """A transfer of what `targets` mean to below `to`; not started yet."""

    def work(progress: Progress, overwrite: bool) -> Arrived:
        progress.step("listing what is to come …")
        return arrived(session.core.get(targets, to, progress, overwrite=overwrite), to)

    command = ""
    if len(targets) <= _WRITTEN:
        paths = " ".join(shlex.quote(f"gs://{session.environment.bucket.name}/{target.path}") for target in targets)
        command = f"toolkit bucket get {paths} --to {shlex.quote(str(to))} --env {session.environment.name}"
    return Transfer(name, work, to, environment=session.environment.name, command=command)


def arrived(result: DownloadResult, to: Path) -> Arrived:
    """What came, as it is told."""
    parts = [f"{counted(len(result.done), 'file')}, {size(result.bytes)}"]
    if result.already_there:
        were = "file was" if len(result.already_there) == 1 else "files were"
        parts.append(f"{len(result.already_there):,} {were} there already, with the same content")
    if result.failed:
        parts.append(f"{counted(len(result.failed), 'object')} did not come")
    files = [Came(content.path, "failed", why=why, differs=_OVERWRITE in why) for content, why in result.failed]
    files += [Came(_below(file, to), "downloaded") for file in result.done]
    files += [Came(_below(file, to), "already there") for file in result.already_there]
    checked = "each checked by its CRC32C" if result.done or result.already_there else ""
    return Arrived("; ".join(parts), str(to), tuple(files), checked)


def _below(file: Path, to: Path) -> str:
    return str(file.relative_to(to)) if file.is_relative_to(to) else str(file)
