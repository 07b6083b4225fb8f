"""`manifest.json` beside a group's downloaded frames: which frame each file is, and where and when it came from."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

import msgspec

from toolkit.errors import Failed, Refused
from toolkit.systems.bucket.names import shown

if TYPE_CHECKING:
    from toolkit.cache.stored import StoredFrame
    from toolkit.systems.bucket.objects import Wanted

NAME: Final = "manifest.json"


class Kept(msgspec.Struct, frozen=True):
    """A file that is whole. `source` is its key in Redis or its gs:// URL; `version` tells its bytes from later ones
    there: in the bucket it is the generation. `crc32c` in base64; `written_at` is known in the bucket alone."""

    frame: str
    file: str
    layer: Literal["L2", "L3"]
    source: str
    bytes: int
    crc32c: str
    version: str
    generation: int | None
    format: str
    written_at: datetime | None
    downloaded_at: datetime


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """All that was downloaded of one group into one folder, from either layer, in however many runs."""

    kind: Literal["toolkit groups download"] = "toolkit groups download"
    version: Literal[1] = 1
    environment: str
    group: str
    frames: tuple[Kept, ...] = ()


class Ledger:
    """The manifest of `folder`, written anew with each frame that got its name.

    Raises Refused where there is the manifest of something else; with `overwrite` it is begun anew. `problem` says why
    it could not be written.
    """

    def __init__(self, folder: Path, environment: str, group: str, *, overwrite: bool) -> None:
        self.problem = ""
        self._folder = folder
        self._manifest = _read(folder, environment, group, overwrite=overwrite)
        self._kept = {kept.frame: kept for kept in self._manifest.frames}

    def fits(self, frame: str, version: str, crc32c: str) -> bool:
        """Whether a file with that checksum is what was noted of the frame in that version, if anything was."""
        kept = self._kept.get(frame)
        return kept is None or kept.version != version or kept.crc32c == crc32c

    def add(self, source: str, stored: StoredFrame, wanted: Wanted, format: str, crc32c: str) -> None:  # noqa: A002
        """Note that a frame's file is whole."""
        content, info = wanted.object, stored.info
        frame = shown(stored.place.frame)
        new = Kept(
            frame=frame,
            file=shown(wanted.file.relative_to(self._folder).as_posix()),
            layer="L2" if info is None else "L3",
            source=source,
            bytes=content.bytes,
            crc32c=crc32c,
            version=content.version,
            generation=None if info is None else info.generation,
            format=format,
            written_at=None if info is None else info.updated,
            downloaded_at=datetime.fromtimestamp(int(wanted.file.stat().st_mtime), UTC),
        )
        if self._kept.get(frame) == new:
            return
        self._kept[frame] = new
        frames = tuple(self._kept[name] for name in sorted(self._kept))
        try:
            _write(self._folder, msgspec.structs.replace(self._manifest, frames=frames))
        except OSError as error:
            self.problem = f"{self._folder / NAME} could not be written: {error.strerror or error}"


def _read(folder: Path, environment: str, group: str, *, overwrite: bool) -> Manifest:
    """What lies in `folder` already; nothing where there is no manifest.

    Raises Refused where it is another group's, or no manifest of ours; with `overwrite` it is begun anew.
    """
    fresh = Manifest(environment=environment, group=group)
    file = folder / NAME
    try:
        found = msgspec.json.decode(file.read_bytes(), type=Manifest)
    except FileNotFoundError:
        return fresh
    except OSError as error:
        raise Failed(f"{file} cannot be read: {error.strerror}.") from error
    except (msgspec.DecodeError, UnicodeDecodeError):
        whose = "which no `groups download` wrote"
    else:
        if (found.environment, found.group) == (environment, group):
            there = tuple(kept for kept in found.frames if (folder / kept.file).is_file())
            return msgspec.structs.replace(found, frames=there)
        whose = f"of {found.group} of {found.environment}"
    if overwrite:
        return fresh
    raise Refused(f"{folder} holds a {NAME} {whose}.", hint="Name another folder with --to; --overwrite replaces it.")


def _write(folder: Path, manifest: Manifest) -> None:
    """Whole, or as it was before. Raises OSError."""
    new = folder / f".{NAME}.new"
    new.write_bytes(msgspec.json.format(msgspec.json.encode(manifest), indent=2) + b"\n")
    new.replace(folder / NAME)
