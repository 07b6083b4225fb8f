"""Downloading: several objects at once, and a large one in several ranges at once; stopped and resumed at will.

Where the bytes come from is the caller's to say: they may as well be a value of Redis.
"""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from pathlib import Path

from toolkit.errors import Interrupted, NotFound, Refused, ToolkitError, UsageError
from toolkit.progress import Progress
from toolkit.systems.bucket.names import Target, local_parts, shown
from toolkit.systems.bucket.objects import Content, DownloadResult, ObjectInfo, Wanted
from toolkit.systems.bucket.part import PartFile, same
from toolkit.systems.side_by_side import side_by_side

SIDE_BY_SIDE = 8
RESERVE = 64 << 20  # bytes that a download leaves free on the disk

Read = Callable[[Content, int, int], bytes]
Finished = Callable[[Wanted, str], None]
Failure = tuple[Content, str]


def ignored(wanted: Wanted, crc32c: str) -> None:
    del wanted, crc32c


def placed(objects: Sequence[ObjectInfo], target: Target, to: Path) -> tuple[list[Wanted], list[Failure]]:
    """Where each object goes: below `to`, beginning with the last part of what was asked for (as `cp -r` does it).

    Names that would lead out of `to`, or that are no path on every machine, come back as failures.
    """
    above = target.path.rstrip("/").rpartition("/")[0]
    cut = len(above) + 1 if above else 0
    wanted: list[Wanted] = []
    failed: list[Failure] = []
    for item in objects:
        if item.path.endswith("/") and not item.bytes:
            continue  # a folder's mark, as web consoles make it
        try:
            local_parts(item.path)
            wanted.append(Wanted(item, place(item.path[cut:], to)))
        except Refused as refused:
            failed.append((item, refused.message))
    return wanted, failed


def place(name: str, folder: Path) -> Path:
    """The file called `name` below `folder`. Raises Refused, with the reason alone, where it would not lie there."""
    file = folder.joinpath(*local_parts(name))
    if not file.parent.resolve().is_relative_to(folder.resolve()):
        raise Refused("a link in the folder here leads elsewhere")
    return file


def download(
    wanted: Sequence[Wanted],
    read: Read,
    progress: Progress,
    *,
    overwrite: bool = False,
    finished: Finished = ignored,
) -> DownloadResult:
    """Write every wanted object to its file; `read(object, start, end)` gives bytes of exactly that version, raises
    NotFound where it is no longer there, and may raise Interrupted on request. `finished` is told of each file that has
    got its name, with its CRC32C (base64).

    Raises UsageError where two objects want the same file, Refused where the disk is too small, Interrupted on
    request (run again, it goes on where it stopped). All else that fails is in the result.
    """
    _check_apart(wanted)
    if any(item.file.exists() for item in wanted):
        progress.step(f"Comparing {len(wanted):,} objects with what is here")
    here, failed, parts = _sorted_out(wanted, overwrite=overwrite)
    _check_room(parts)
    total = sum(part.item.bytes for part in parts)
    arrived = sum(part.bytes_here for part in parts)
    if parts:
        progress.advance("downloaded", arrived, total, "bytes")
    done: list[Path] = []
    bad: set[int] = set()
    finishing = _Finishing(parts, overwrite=overwrite)

    def stop() -> bool:
        return progress.stop.is_set()

    def work(job: tuple[PartFile, int | None]) -> tuple[int, bool]:
        part, number = job
        if stop() or id(part) in bad:
            return 0, False
        if number is None:
            return 0, finishing.finish(part)
        start, end = part.span(number)
        content = read(part.item, start, end)
        part.write(number, content)
        return len(content), finishing.counted(part)

    def attempt(job: tuple[PartFile, int | None]) -> tuple[int, bool] | str:
        try:
            return work(job)
        except Interrupted:
            return 0, False
        except NotFound:
            return "it was deleted or written anew while it was downloaded"
        except ToolkitError as error:
            return error.message
        except OSError as error:
            return f"its file cannot be written: {error.strerror or error}"

    for (part, _), outcome in side_by_side(_jobs(parts, failed), attempt, workers=SIDE_BY_SIDE, stop=stop):
        if isinstance(outcome, str):
            if id(part) not in bad:
                bad.add(id(part))
                failed.append((part.item, outcome))
            continue
        count, whole = outcome
        arrived += count
        progress.advance("downloaded", arrived, total, "bytes")
        if whole:
            done.append(part.wanted.file)
            finished(part.wanted, part.checksum)
    if stop() and len(done) + len(bad) < len(parts):
        raise Interrupted(
            f"Stopped on request: {len(done):,} of {len(parts):,} files are whole.",
            hint="Run the same command again: it goes on where it stopped.",
        )
    return DownloadResult(tuple(done), tuple(here), tuple(failed), arrived)


class _Finishing:
    """Counts each file's missing chunks; whoever brings the last one finishes the file."""

    def __init__(self, parts: Sequence[PartFile], *, overwrite: bool) -> None:
        self._lock = threading.Lock()
        self._missing = {id(part): len(part.missing) for part in parts}
        self._overwrite = overwrite

    def counted(self, part: PartFile) -> bool:
        with self._lock:
            self._missing[id(part)] -= 1
            last = self._missing[id(part)] == 0
        return last and self.finish(part)

    def finish(self, part: PartFile) -> bool:
        part.finish(overwrite=self._overwrite)
        return True


def _jobs(parts: Sequence[PartFile], failed: list[Failure]) -> Iterator[tuple[PartFile, int | None]]:
    """(file, chunk) for every chunk that is missing; (file, None) where only its name is missing."""
    for part in parts:
        try:
            part.begin()
        except OSError as error:
            failed.append((part.item, f"its file cannot be made: {error.strerror or error}"))
            continue
        yield from chain(((part, number) for number in part.missing) if part.missing else [(part, None)])


def _sorted_out(wanted: Sequence[Wanted], *, overwrite: bool) -> tuple[list[Path], list[Failure], list[PartFile]]:
    """What is here already, what cannot be, and what is left to do."""
    here: list[Path] = []
    failed: list[Failure] = []
    parts: list[PartFile] = []
    for item in wanted:
        if same(item):
            here.append(item.file)
        elif item.file.exists() and (not overwrite or not item.file.is_file()):
            failed.append(
                (item.object, f"{shown(str(item.file))} is there with other content (--overwrite replaces it)")
            )
        else:
            parts.append(PartFile(item))
    return here, failed, parts


def _check_apart(wanted: Sequence[Wanted]) -> None:
    places: dict[Path, str] = {}
    for item in wanted:
        before = places.setdefault(item.file, item.object.path)
        if before != item.object.path:
            raise UsageError(
                f"{shown(before)} and {shown(item.object.path)} would both become {shown(str(item.file))}.",
                hint="Get them one after the other, each with its own --to.",
            )


def _check_room(parts: Sequence[PartFile]) -> None:
    """Raise Refused unless the disk has room for what is still to come. A sparse file of before counts as missing."""
    if not parts:
        return
    needed = sum(part.item.bytes - part.bytes_here for part in parts)
    place = parts[0].wanted.file.parent
    while not place.exists():
        place = place.parent
    free = shutil.disk_usage(place).free
    if needed + RESERVE > free:
        raise Refused(
            f"{needed / 1e9:.1f} GB are to come, and {place} has {free / 1e9:.1f} GB free.",
            hint="Make room, get less, or name another disk with --to.",
            by_hand=(f"df -h {place}",),
        )
