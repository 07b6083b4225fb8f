"""A group's frames as files: from the bucket or from Redis, each checked, with a manifest of what came from where.

The bytes are brought by the bucket's downloader (parts, resuming, checksums), from Redis too. A file is called by its
frame and its real format, whatever its name says where it lies: so pandas opens it, and both layers' are called alike.
"""

from __future__ import annotations

import difflib
import shlex
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from toolkit.cache import layers, stored
from toolkit.cache.download.manifest import Ledger
from toolkit.cache.download.source import InBucket, InRedis
from toolkit.cache.formats import told
from toolkit.cache.stored import LAYERS, StoredFrame
from toolkit.errors import Failed, NotFound, Refused, ToolkitError
from toolkit.progress import SILENT, Progress
from toolkit.systems import measured
from toolkit.systems.bucket.names import shown
from toolkit.systems.bucket.objects import Wanted
from toolkit.systems.bucket.transfer import place

if TYPE_CHECKING:
    from toolkit.cache.layers import Layers
    from toolkit.systems.connections import Connections

Layer = Literal["L2", "L3"]
Outcome = Literal["to come", "downloaded", "already there", "failed"]
_LOCK: Final = ".download.lock"
_OTHER_KIND: Final = "Redis holds another kind of data there"
_JUST_REPLACED: Final = "it was deleted or written anew just now"
_REPLACED_SINCE: Final = "it was deleted or written anew since: this is how it was before"


@dataclass(frozen=True)
class FrameFile:
    """One frame, and what became of it. `why` is what is wrong with it, if anything; `format` is empty where its first
    bytes are of none that is known.

    `in_bucket` says of a value of Redis whether the bucket's object of that frame has the same bytes: "equal",
    "differs", or why that cannot be said.
    """

    frame: str
    file: str
    bytes: int
    format: str
    outcome: Outcome
    crc32c: str = ""
    generation: int | None = None
    why: str = ""
    in_bucket: str = ""

    @property
    def differs(self) -> bool:
        """Whether it did not come because a file of that name is there, with other content."""
        return self.outcome == "failed" and "--overwrite" in self.why


@dataclass(frozen=True)
class GroupDownload:
    """A group's download into `folder`; `bytes` are those of the files written, an earlier try's among them."""

    environment: str
    group: str
    layer: Layer
    folder: str
    frames: tuple[FrameFile, ...]
    bytes: int = 0
    notes: tuple[str, ...] = ()

    @property
    def well(self) -> bool:
        return not any(frame.why for frame in self.frames)


@dataclass(frozen=True)
class _Ready:
    """A frame of which it is known what to bring, and where to."""

    stored: StoredFrame
    wanted: Wanted
    format: str
    file: str  # below the folder

    @property
    def name(self) -> str:
        return shown(self.stored.place.frame)

    def became(self, outcome: Outcome, crc32c: str = "", why: str = "") -> FrameFile:
        info = self.stored.info
        generation = None if info is None else info.generation
        return FrameFile(self.name, self.file, self.stored.bytes, self.format, outcome, crc32c, generation, why)


def download(
    connections: Connections,
    group: str,
    to: Path,
    layer: Layer = "L3",
    frames: Sequence[str] = (),
    progress: Progress = SILENT,
    *,
    overwrite: bool = False,
    dry_run: bool = False,
) -> GroupDownload:
    """Bring the frames of `group` (all, or those named) from `layer` into a folder of the group's name below `to`.

    Raises NotFound for an unknown group or frame, Refused where another process is at it or there is no room, Failed
    where the folder cannot be made, Interrupted on request, and the layer's error. What fails of single frames is in
    the result, and the others are brought all the same.
    """
    read = layers.read(connections)
    raw = stored.named(read, group, connections.environment.name)
    there = _there(connections, read, raw, layer)
    wrong = _wrong(connections, read, raw, layer)
    chosen, failed = _chosen(raw, there, wrong, frames, layer)
    folder = _folder(raw, to)
    source = InRedis(connections.redis) if layer == "L2" else InBucket(connections.bucket)
    ready = list(_ready(source, chosen, folder, failed))
    usual = len(connections.environment.cache.frames) or connections.environment.cache.frames_per_group
    notes = []
    if len(there) < usual:
        notes.append(f"{LAYERS[layer].capitalize()} holds only {len(there)} of the usual {usual} frames of this group.")
    found = GroupDownload(connections.environment.name, shown(raw), layer, str(folder.resolve()), ())
    only = "".join(f" --frame {shlex.quote(name)}" for name in frames)
    command = f"groups download {shlex.quote(shown(raw))}{only} --env {found.environment}"
    if dry_run:
        became = [one.became("already there" if source.checksum_here(one.wanted) else "to come") for one in ready]
        if layer == "L3":
            count = sum(file.bytes for file in became if file.outcome == "to come")
            measured.note_quicker(connections.environment, command, count, progress)
        return replace(found, frames=_sorted(became, failed), notes=tuple(notes))
    with _alone_in(folder):
        ledger = Ledger(folder, found.environment, found.group, overwrite=overwrite)
        way = measured.measured(connections.environment, command, progress) if layer == "L3" else nullcontext(progress)
        with way as timed:
            became, count = _brought(source, ready, ledger, timed, overwrite=overwrite)
    problem = ledger.problem
    try:
        became = _looked_at_again(source, ready, became)
    except ToolkitError as error:
        problem = problem or f"Whether anything was written anew meanwhile could not be seen: {error.message}"
    notes += [problem] if problem else []
    compared = [replace(file, in_bucket=_in_bucket(file, read, raw)) if layer == "L2" else file for file in became]
    return replace(found, frames=_sorted(compared, failed), bytes=count, notes=tuple(notes))


def _there(connections: Connections, read: Layers, raw: str, layer: Layer) -> list[StoredFrame]:
    """The group's frames in the layer. Raises the layer's error, or NotFound, which names the other layer's."""
    asked = read.l2 if layer == "L2" else read.l3
    if isinstance(asked, ToolkitError):
        raise asked
    lying = {"L2": list(stored.in_l2(connections, read, [raw])), "L3": list(stored.in_l3(connections, read, [raw]))}
    if lying[layer] or _wrong(connections, read, raw, layer):
        return lying[layer]
    other: Layer = "L3" if layer == "L2" else "L2"
    hint = f"`toolkit groups show {shown(raw)}` shows where it is."
    if lying[other]:
        hint = f"{LAYERS[other].capitalize()} holds {len(lying[other])} of them: --layer {other.lower()}"
    raise NotFound(f"{LAYERS[layer].capitalize()} holds no frame of {shown(raw)}.", hint=hint)


def _wrong(connections: Connections, read: Layers, raw: str, layer: Layer) -> set[str]:
    """The group's frames under whose keys Redis holds no plain value."""
    return {shown(place.frame) for place in stored.wrong_kind(connections, read, [raw])} if layer == "L2" else set()


def _chosen(
    raw: str, there: Sequence[StoredFrame], wrong: set[str], frames: Sequence[str], layer: Layer
) -> tuple[list[StoredFrame], list[FrameFile]]:
    """The frames that are wanted, and those that cannot be had. Raises NotFound."""
    by_name = {shown(frame.place.frame): frame for frame in there}
    for name in frames:
        if name not in by_name and name not in wrong:
            near = difflib.get_close_matches(name, by_name, n=1, cutoff=0.5)
            hint = f"Did you mean {near[0]!r}?" if near else f"There are: {', '.join(by_name)}."
            raise NotFound(f"{shown(raw)} has no frame {name!r} in {LAYERS[layer]}.", hint=hint)
    wanted = set(frames) or by_name.keys() | wrong
    failed = [FrameFile(name, "", 0, "", "failed", why=_OTHER_KIND) for name in sorted(wrong & wanted)]
    return [frame for name, frame in by_name.items() if name in wanted], failed


def _folder(raw: str, to: Path) -> Path:
    """The group's folder below `to`. Raises Refused where its name cannot be one."""
    try:
        return place(raw, to)
    except Refused as refused:
        raise Refused(f"The folder of {shown(raw)} cannot be made in {to}: {refused.message}.") from refused


def _ready(
    source: InBucket | InRedis, chosen: Sequence[StoredFrame], folder: Path, failed: list[FrameFile]
) -> Iterator[_Ready]:
    """What to bring, and where to; what cannot be brought goes to `failed`."""
    for frame, version in zip(chosen, source.versions(chosen), strict=True):
        name = shown(frame.place.frame)
        if version is None:
            failed.append(FrameFile(name, "", frame.bytes, "", "failed", why=_JUST_REPLACED))
            continue
        file = frame.place.frame + told.suffix(version.format)
        try:
            yield _Ready(frame, Wanted(version.content, place(file, folder)), version.format, file)
        except Refused as refused:
            failed.append(FrameFile(name, "", frame.bytes, version.format, "failed", why=refused.message))


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """The folder, made, and ours alone. Raises Refused where another process downloads into it, Failed."""
    from filelock import FileLock, Timeout

    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder / _LOCK, timeout=0)
        lock.acquire()
    except Timeout:
        raise Refused(
            f"Another process is downloading into {folder.resolve()} right now.",
            hint="Let it come to its end; the same command then brings what is missing.",
        ) from None
    except OSError as error:
        raise Failed(
            f"Nothing can be written into {folder}: {error.strerror or error}.", hint="Name another folder with --to."
        ) from error
    try:
        yield
    finally:
        with suppress(OSError):
            (folder / _LOCK).unlink()
        lock.release()


def _brought(
    source: InBucket | InRedis, ready: Sequence[_Ready], ledger: Ledger, progress: Progress, *, overwrite: bool
) -> tuple[list[FrameFile], int]:
    """What became of each, noted in the ledger as it gets its name; and the bytes that came."""
    if any(one.wanted.file.exists() for one in ready):
        progress.step("Comparing what is here with what is there")
    became: dict[Path, FrameFile] = {}
    missing: dict[Path, _Ready] = {}
    for one in ready:
        progress.check_stop()
        crc32c = source.checksum_here(one.wanted)
        if crc32c and ledger.fits(one.name, one.wanted.object.version, crc32c):
            became[one.wanted.file] = one.became("already there", crc32c)
            ledger.add(source.source(one.stored), one.stored, one.wanted, one.format, crc32c)
        else:
            missing[one.wanted.file] = one

    def finished(wanted: Wanted, crc32c: str) -> None:
        one = missing[wanted.file]
        became[wanted.file] = one.became("downloaded", crc32c)
        ledger.add(source.source(one.stored), one.stored, wanted, one.format, crc32c)

    if not missing:
        return list(became.values()), 0
    wanted = [one.wanted for one in missing.values()]
    result = source.bring(wanted, progress, overwrite=overwrite, finished=finished)
    why = {content.path: reason for content, reason in result.failed}
    for file, one in missing.items():
        if file not in became:
            became[file] = one.became("failed", why=why.get(one.wanted.object.path, "it did not come"))
    return list(became.values()), result.bytes


def _looked_at_again(
    source: InBucket | InRedis, ready: Sequence[_Ready], became: Sequence[FrameFile]
) -> list[FrameFile]:
    """Frames that were written anew while others were still under way are no longer of one build: they say so."""
    contents = {one.name: one.wanted.object for one in ready}
    whole = [contents[file.frame] for file in became if file.outcome != "failed"]
    replaced = source.replaced(whole)
    return [
        replace(file, why=_REPLACED_SINCE) if not file.why and contents[file.frame].path in replaced else file
        for file in became
    ]


def _in_bucket(file: FrameFile, read: Layers, raw: str) -> str:
    """How the bucket's object of the same frame compares."""
    if not file.crc32c:
        return ""
    if isinstance(read.l3, ToolkitError):
        return "not comparable: the bucket could not be read"
    info = {shown(frame): info for frame, info in read.l3.frames.get(raw, {}).items()}.get(file.frame)
    if info is None:
        return "not comparable: the bucket has no such frame"
    if info.bytes != file.bytes or not info.crc32c:
        return f"not comparable: the bucket's has {info.bytes:,} bytes"
    return "equal" if info.crc32c == file.crc32c else "differs"


def _sorted(files: Sequence[FrameFile], failed: Sequence[FrameFile]) -> tuple[FrameFile, ...]:
    return tuple(sorted((*files, *failed), key=lambda file: file.frame))
