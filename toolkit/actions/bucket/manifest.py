"""The list of objects that a removal is about, written down before the first is deleted: what undo and resuming need.

JSON lines: a head (environment, bucket, paths, how many objects and bytes), then one object a line with its
generation. The file's name holds the digest of what is in it.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from toolkit import paths
from toolkit.errors import Failed, NotFound, UsageError
from toolkit.systems.bucket import ObjectInfo

_KIND = "toolkit bucket manifest"
_VERSION = 1


@dataclass(frozen=True)
class Manifest:
    """Objects in exactly the generations they have here. `paths` is what was asked for, as full names."""

    environment: str
    bucket: str
    paths: tuple[str, ...]
    objects: tuple[ObjectInfo, ...]
    made_at: datetime = field(default_factory=lambda: datetime.now(UTC))

    @property
    def bytes(self) -> int:
        return sum(item.bytes for item in self.objects)

    @property
    def digest(self) -> str:
        """32 hex digits over the bucket and every name and generation; the order does not count."""
        return digest(self.bucket, self.objects)

    @property
    def file(self) -> Path:
        """Where it is kept."""
        return paths.state() / "manifests" / f"{self.environment}-{self.digest[:16]}.jsonl"


def digest(bucket: str, objects: Sequence[ObjectInfo]) -> str:
    """32 hex digits over the bucket and every object's name and generation, in any order."""
    lines = sorted(f"{item.path}\0{item.generation}" for item in objects)
    return hashlib.sha256("\n".join([bucket, *lines]).encode()).hexdigest()[:32]


def write(manifest: Manifest) -> Path:
    """Write it so that it outlives a crash of this machine. Raises Failed where it cannot be written."""
    head = {
        "kind": _KIND,
        "version": _VERSION,
        "environment": manifest.environment,
        "bucket": manifest.bucket,
        "paths": list(manifest.paths),
        "made_at": manifest.made_at.isoformat(timespec="seconds"),
        "objects": len(manifest.objects),
        "bytes": manifest.bytes,
    }
    target = manifest.file
    new = target.with_name(f"{target.name}.{os.getpid()}.new")
    try:
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with new.open("w", encoding="utf-8") as file:
            file.write(json.dumps(head) + "\n")
            file.writelines(json.dumps(_line(item)) + "\n" for item in manifest.objects)
            file.flush()
            os.fsync(file.fileno())
        new.replace(target)
        _sync_folder(target.parent)
    except OSError as error:
        with contextlib.suppress(OSError):
            new.unlink(missing_ok=True)
        raise Failed(
            f"The manifest {target} could not be written: {error.strerror}.",
            hint="It is what an undo needs, so nothing is deleted without it. Is the disk full?",
        ) from error
    return target


def read(file: Path) -> Manifest:
    """A manifest as it was written. Raises NotFound, or UsageError with the line that is wrong."""
    try:
        lines = file.read_text("utf-8").splitlines()
    except FileNotFoundError as error:
        kept = f"Manifests are kept in {paths.state() / 'manifests'}."
        raise NotFound(f"There is no manifest {file}.", hint=kept) from error
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{file} cannot be read: {getattr(error, 'strerror', None) or 'it is not UTF-8'}.") from error
    head = _parsed(lines[0] if lines else "", file, 1)
    if head.get("kind") != _KIND or head.get("version") != _VERSION:
        raise UsageError(
            f"{file} is no manifest of this toolkit.", hint="`toolkit bucket rm` writes one, and says where."
        )
    objects = []
    for number, line in enumerate(lines[1:], start=2):
        item = _parsed(line, file, number)
        try:
            objects.append(
                ObjectInfo(
                    path=str(item["path"]),
                    generation=int(item["generation"]),
                    bytes=int(item["bytes"]),
                    updated=datetime.fromisoformat(item["updated"]),
                    crc32c=str(item.get("crc32c", "")),
                )
            )
        except (KeyError, TypeError, ValueError) as error:
            raise UsageError(f"{file}, line {number}: {error!r} is missing or wrong.") from error
    try:
        manifest = Manifest(
            environment=str(head["environment"]),
            bucket=str(head["bucket"]),
            paths=tuple(str(path) for path in head["paths"]),
            objects=tuple(objects),
            made_at=datetime.fromisoformat(head["made_at"]),
        )
        expected = int(head["objects"])
    except (KeyError, TypeError, ValueError) as error:
        raise UsageError(f"{file}, line 1: {error!r} is missing or wrong.") from error
    if expected != len(objects):
        raise UsageError(f"{file} is not whole: it names {len(objects):,} of {expected:,} objects.")
    return manifest


def _line(item: ObjectInfo) -> dict[str, Any]:
    return {
        "path": item.path,
        "generation": item.generation,
        "bytes": item.bytes,
        "crc32c": item.crc32c,
        "updated": item.updated.isoformat(),
    }


def _parsed(line: str, file: Path, number: int) -> dict[str, Any]:
    try:
        found = json.loads(line)
    except ValueError as error:
        raise UsageError(f"{file}, line {number} is not JSON.") from error
    if not isinstance(found, dict):
        raise UsageError(f"{file}, line {number} is no JSON object.")
    return found


def _sync_folder(folder: Path) -> None:
    if os.name == "nt":
        return  # there a folder cannot be opened, and need not be
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
