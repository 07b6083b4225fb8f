"""Files from BioHive to this machine: several at once, resumed where an earlier try stopped, their SHA-256 compared.

The bytes are `tail`'s, over the connection that there is: that goes on at any byte, needs no program that some machine
lacks, and no second way in. A file gets its name when all of it is here and its digest is BioHive's.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import subprocess
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final, Literal

from toolkit.errors import Failed, Interrupted, NotFound, Refused, ToolkitError, UsageError
from toolkit.progress import Progress
from toolkit.systems.biohive import LOST, BioHive, errors, scripts
from toolkit.systems.bucket.names import shown
from toolkit.systems.bucket.transfer import RESERVE, place
from toolkit.systems.side_by_side import side_by_side

_SIDE_BY_SIDE: Final = 4  # sessions of one connection; ssh servers allow ten
_BLOCK: Final = 1 << 20
_LISTS: Final = 60.0  # seconds
_SLOWEST_DIGEST: Final = 20_000_000  # bytes a second


@dataclass(frozen=True, slots=True)
class Remote:
    """A file there: its path, how many bytes, when it was changed (as find writes it), and its file here."""

    path: str
    bytes: int
    changed: str
    file: Path

    @property
    def part(self) -> Path:
        """Where it grows. A file that was written anew has another."""
        mark = hashlib.sha256(f"{self.path}\0{self.bytes}\0{self.changed}".encode()).hexdigest()[:10]
        return self.file.with_name(f".{self.file.name}.{mark}.part")


@dataclass(frozen=True, slots=True)
class Fetched:
    """What became of one: `why` it is not here, and its SHA-256 (hex) where it is."""

    path: str
    file: str
    bytes: int
    outcome: Literal["fetched", "already there", "failed"]
    sha256: str = ""
    why: str = ""


@dataclass(frozen=True)
class Result:
    files: tuple[Fetched, ...]
    bytes_moved: int

    @property
    def well(self) -> bool:
        return all(not one.why for one in self.files)


def fetch(biohive: BioHive, paths: Sequence[str], to: Path, progress: Progress, *, overwrite: bool = False) -> Result:
    """Each path's files, below `to` under the path's last name, as `cp -r` does it.

    Raises NotFound, UsageError where two want the same place, Refused where the disk is too small, Interrupted on
    request and ConnectionCut: run again, it goes on. All else that fails is in the result.
    """
    progress.step(f"Looking at what is there on {biohive.target.host}")
    wanted, failed = _listed(biohive, paths, to)
    todo, compared = [], []
    for one in wanted:
        if not one.file.exists():
            todo.append(one)
        elif one.file.is_file() and (one.file.stat().st_size == one.bytes or overwrite):
            compared.append(one)
        else:
            failed.append(_refused(one))
    _check_room(todo, to)
    with ThreadPoolExecutor(1, thread_name_prefix="digests") as pool:
        asked = pool.submit(_digests, biohive, [*compared, *todo])
        moved = _bring(biohive, todo, progress, failed)
        if compared or todo:
            progress.step("Comparing digests")
        digests = asked.result()
        again = []
        files: list[Fetched] = []
        for one in compared:
            if _digest(one.file) == digests[one.path]:
                files.append(Fetched(one.path, str(one.file), one.bytes, "already there", digests[one.path]))
            elif overwrite:
                again.append(one)
            else:
                failed.append(_refused(one))
        if again:
            _check_room(again, to)
            moved += _bring(biohive, again, progress, failed)
    unwell = {one.path for one in failed}
    for one in [*todo, *again]:
        if one.path not in unwell:
            files.append(_finished(one, digests[one.path], overwrite=overwrite))
    return Result(tuple(sorted([*files, *failed], key=lambda one: one.path)), moved)


def _listed(biohive: BioHive, paths: Sequence[str], to: Path) -> tuple[list[Remote], list[Fetched]]:
    for path in paths:
        if not path or "\0" in path or "\n" in path:
            raise UsageError(f"{shown(path)!r} is no path.")
    said = biohive.ask(scripts.listing(biohive.part.directory, paths), doing="listing files", timeout=_LISTS)
    found: list[Remote] = []
    failed: list[Fetched] = []
    top = ""
    places: dict[Path, str] = {}
    for record in said.split("\0"):
        kind, rest = record[:1], record[1:]
        if kind == "m":
            raise NotFound(
                f"There is no {shown(rest)} on {biohive.target.host}.",
                hint="Relative paths begin in the home directory there, or in biohive.directory.",
                by_hand=(biohive.target.by_hand("ls", "-la"),),
            )
        if kind == "p":
            top = rest
        elif kind == "f":
            size, changed, relative = rest.split(" ", 2)
            path = f"{top.rstrip('/')}/{relative}" if relative else top
            name = PurePosixPath(top).name
            local = f"{name}/{relative}" if relative and name not in ("", ".", "..") else (relative or name)
            try:
                if "\N{REPLACEMENT CHARACTER}" in path:
                    raise Refused("its name is not UTF-8")
                one = Remote(path, int(size), changed, place(local, to))
            except Refused as refused:
                failed.append(Fetched(path, "", int(size), "failed", why=refused.message))
                continue
            if places.setdefault(one.file, path) != path:
                raise UsageError(
                    f"{shown(places[one.file])} and {shown(path)} would both become {shown(str(one.file))}.",
                    hint="Get them one after the other, each with its own --to.",
                )
            if one not in found:
                found.append(one)
    return found, failed


def _bring(biohive: BioHive, todo: Sequence[Remote], progress: Progress, failed: list[Fetched]) -> int:
    """The bytes of each into its part; how many came."""
    total, counted, lock = sum(one.bytes for one in todo), 0, threading.Lock()
    before = sum(min(_size(one.part), one.bytes) for one in todo)
    if todo:
        progress.advance("fetched", before, total, "bytes")

    def more(count: int) -> None:
        nonlocal counted
        with lock:
            counted += count
            progress.advance("fetched", before + counted, total, "bytes")

    def work(one: Remote) -> ToolkitError | str | None:
        try:
            _fill(biohive, one, more, progress)
        except ToolkitError as error:
            return error
        except OSError as error:
            return f"its file cannot be written: {error.strerror or error}"
        return None

    lost: ToolkitError | None = None

    def stop() -> bool:
        return progress.stop.is_set() or lost is not None

    for one, outcome in side_by_side(todo, work, workers=_SIDE_BY_SIDE, stop=stop):
        if isinstance(outcome, errors.ConnectionCut):
            lost = outcome
        elif isinstance(outcome, Interrupted):
            continue
        elif outcome is not None:
            why = outcome if isinstance(outcome, str) else outcome.message
            failed.append(Fetched(one.path, str(one.file), one.bytes, "failed", why=why))
    left = "What came until then is kept: the same command again goes on there."
    if lost is not None:
        raise errors.cut(biohive.target, f"fetching: {before + counted:,} of {total:,} bytes are here", hint=left)
    if progress.stop.is_set():
        raise Interrupted(f"Stopped on request: {before + counted:,} of {total:,} bytes are here.", hint=left)
    return counted


def _fill(biohive: BioHive, one: Remote, more: Callable[[int], None], progress: Progress) -> None:
    progress.check_stop()
    one.part.parent.mkdir(parents=True, exist_ok=True)
    here = _size(one.part)
    if here > one.bytes:
        one.part.unlink()
        here = 0
    if here == one.bytes:
        one.part.touch()
        return
    with biohive.log() as log, one.part.open("ab") as file:
        process = subprocess.Popen(
            biohive.ssh(scripts.content(biohive.part.directory, one.path, here), log=log),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        assert process.stdout is not None  # noqa: S101
        with process:
            try:
                while block := process.stdout.read1(_BLOCK):  # type: ignore[attr-defined]
                    file.write(block)
                    more(len(block))
                    progress.check_stop()
                said = process.stderr.read() if process.stderr else b""
                status = process.wait()
            except BaseException:
                process.kill()
                raise
        if status == LOST:
            raise biohive.lost(log.read_text("utf-8", "replace"), "fetching")
        if status != 0:
            raise Failed(shown(" ".join(said.decode("utf-8", "replace").split()))[:300] or f"tail ended with {status}")


def _digests(biohive: BioHive, files: Sequence[Remote]) -> dict[str, str]:
    """SHA-256 of each, as BioHive reads it."""
    if not files:
        return {}
    limit = _LISTS + sum(one.bytes for one in files) / _SLOWEST_DIGEST
    names = b"".join(one.path.encode() + b"\0" for one in files)
    said = biohive.ask(
        scripts.digests(biohive.part.directory), doing="reading digests", timeout=limit, content=names
    ).splitlines()
    if len(said) != len(files):
        raise Failed("BioHive gave fewer digests than there are files.", hint="Run it again.")
    return {one.path: line.lstrip("\\")[:64] for one, line in zip(files, said, strict=True)}


def _finished(one: Remote, digest: str, *, overwrite: bool) -> Fetched:
    """The part gets its name, if it is what is there."""
    if _digest(one.part) != digest:
        one.part.unlink(missing_ok=True)
        why = "its digest is not BioHive's: it was written anew meanwhile. Run the same command again"
        return Fetched(one.path, str(one.file), one.bytes, "failed", why=why)
    if one.file.exists() and not overwrite:
        return _refused(one)
    try:
        one.part.replace(one.file)
    except OSError as error:
        why = f"its file cannot be made: {error.strerror or error}"
        return Fetched(one.path, str(one.file), one.bytes, "failed", why=why)
    with contextlib.suppress(OSError, ValueError):
        os.utime(one.file, (float(one.changed), float(one.changed)))
    return Fetched(one.path, str(one.file), one.bytes, "fetched", digest)


def _refused(one: Remote) -> Fetched:
    why = f"{shown(str(one.file))} is there with other content (--overwrite replaces it)"
    return Fetched(one.path, str(one.file), one.bytes, "failed", why=why)


def _digest(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except OSError:
        return 0


def _check_room(todo: Sequence[Remote], to: Path) -> None:
    needed = sum(one.bytes - min(_size(one.part), one.bytes) for one in todo)
    where = to.resolve()
    while not where.exists():
        where = where.parent
    free = shutil.disk_usage(where).free
    if todo and needed + RESERVE > free:
        raise Refused(
            f"{needed / 1e9:.1f} GB are to come, and {where} has {free / 1e9:.1f} GB free.",
            hint="Make room, get less, or name another disk with --to.",
            by_hand=(f"df -h {where}",),
        )
