"""Redis values on disk: streamed there before anything is deleted, and read back from there.

A backup is a directory of its own: `manifest.json` and one file a value. It gets its name only when all of it is
written and flushed to the disk, so a directory of that name is whole.
"""

from __future__ import annotations

import base64
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from toolkit.errors import Failed, NotFound, Refused, UsageError
from toolkit.progress import Progress

if TYPE_CHECKING:
    from toolkit.environments import model
    from toolkit.systems.redis_proxy import RedisProxy

_KIND = "toolkit groups backup"
_VERSION = 1
_NAME = "manifest.json"
_SPARE = 64 * 1024 * 1024  # bytes that stay free on the disk
_PIECE = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class SavedValue:
    """A value and its file. `crc32c` in base64, as Google Storage writes it; `expires_ms` is how long it had to live
    (None: for ever)."""

    key: str
    file: str
    bytes: int
    crc32c: str
    expires_ms: int | None = None


@dataclass(frozen=True)
class Backup:
    """What a backup holds: the values, and the members of the index with their scores."""

    directory: Path
    environment: str
    address: str
    index_key: str
    scores: Mapping[str, float]
    values: tuple[SavedValue, ...]
    made_at: datetime

    @property
    def size(self) -> int:
        """Bytes of all values."""
        return sum(value.bytes for value in self.values)

    def content(self, value: SavedValue) -> Iterator[bytes]:
        """The value in pieces. Raises Failed, at its end, where the file is not what was saved."""
        import google_crc32c

        checksum = length = 0
        try:
            with (self.directory / value.file).open("rb") as file:
                while piece := file.read(_PIECE):
                    checksum = google_crc32c.extend(checksum, piece)
                    length += len(piece)
                    yield piece
        except OSError as error:
            raise Failed(f"{self.directory / value.file} cannot be read: {error.strerror}.") from error
        if length != value.bytes or _encoded(checksum) != value.crc32c:
            raise Failed(
                f"{self.directory / value.file} is not what was saved: its checksum is another.",
                hint="The backup is damaged; that value was not restored. `toolkit cache rebuild` makes it anew.",
            )


def check_room(directory: Path, wanted: int) -> int:
    """Free bytes where `directory` is to be. Raises Refused where it exists already or `wanted` bytes do not fit."""
    if directory.exists() and (not directory.is_dir() or any(directory.iterdir())):
        raise Refused(
            f"{directory} exists already, and a backup never writes into something that is there.",
            hint="Name a directory that does not exist yet.",
        )
    parent = next(parent for parent in directory.absolute().parents if parent.is_dir())
    if not os.access(parent, os.W_OK):
        raise Refused(f"{parent} cannot be written to, so there can be no backup in {directory}.")
    free = shutil.disk_usage(parent).free
    if free < wanted + _SPARE:
        raise Refused(
            f"The backup needs {amount(wanted)}, and {parent} has {amount(free)} free.",
            hint="Name a directory on a larger disk.",
        )
    return free


def save(
    redis: RedisProxy,
    keys: Mapping[str, int],
    scores: Mapping[str, float],
    directory: Path,
    environment: model.Environment,
    progress: Progress,
    unchanged: Callable[[], bool],
) -> Backup:
    """Stream the values of `keys` (with their bytes) and the index's `scores` into `directory`; then ask `unchanged`.

    Raises Refused where there is no room, Failed where the disk or a value gives trouble; then nothing is left there.
    Raises Refused, too, where Redis changed meanwhile; then the backup stays.
    """
    total = sum(keys.values())
    progress.step(f"Saving {len(keys):,} values in {directory}")
    directory = directory.absolute()
    check_room(directory, total)
    expiries = redis.expiries(keys)
    try:
        directory.parent.mkdir(parents=True, exist_ok=True)
        unfinished = Path(tempfile.mkdtemp(prefix=f".{directory.name}.unfinished-", dir=directory.parent))
    except OSError as error:
        raise _disk_trouble(directory, error) from error
    try:
        values = []
        done = 0
        for number, (key, length) in enumerate(keys.items(), 1):
            progress.check_stop()
            start = done

            def told(written: int, start: int = start) -> None:
                progress.advance("backup", start + written, total, "bytes")
                progress.check_stop()

            file = f"{number:06d}.value"
            crc32c = _write(unfinished / file, redis.value(key), length, key, told)
            values.append(SavedValue(key, file, length, crc32c, expiries[key]))
            done += length
        made = Backup(
            directory=directory,
            environment=environment.name,
            address=str(redis.address),
            index_key=environment.cache.index_key,
            scores=dict(scores),
            values=tuple(values),
            made_at=datetime.now(UTC),
        )
        _write(unfinished / _NAME, [json.dumps(_document(made), indent=1).encode()], None, _NAME, lambda _: None)
        _sync(unfinished)
        unfinished.rename(directory)
        _sync(directory.parent)
    except OSError as error:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise _disk_trouble(directory, error) from error
    except BaseException:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise
    if not unchanged():
        raise Refused(
            f"Redis changed while it was being saved in {directory}; nothing was deleted.",
            hint="A rebuild is probably running: `toolkit cache status`. Next time name another directory.",
        )
    return made


def read(directory: Path) -> Backup:
    """The backup in `directory`; its files are there, in their lengths. Raises NotFound, UsageError, Failed."""
    file = directory / _NAME
    try:
        document = json.loads(file.read_text("utf-8"))
    except (FileNotFoundError, NotADirectoryError) as error:
        raise NotFound(
            f"There is no backup in {directory}: {_NAME} is missing.",
            hint="`toolkit groups delete --backup DIR` and `toolkit groups flush --backup DIR` write one.",
        ) from error
    except OSError as error:
        raise Failed(f"{file} cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise UsageError(f"{file} is no manifest of a backup: {error}.") from error
    backup = _parsed(document, directory, file)
    for value in backup.values:
        try:
            length = (directory / value.file).stat().st_size
        except OSError as error:
            raise Failed(
                f"{directory / value.file} cannot be read: {error.strerror}; the backup is not whole."
            ) from error
        if length != value.bytes:
            raise Failed(f"{directory / value.file} has {length:,} bytes instead of {value.bytes:,}; it is damaged.")
    return backup


def amount(count: int) -> str:
    """Bytes in MB or GB, as the cloud console counts them."""
    return f"{count / 1e6:,.1f} MB" if count < 1e9 else f"{count / 1e9:,.1f} GB"


def _parsed(document: Any, directory: Path, file: Path) -> Backup:
    if not isinstance(document, dict) or document.get("kind") != _KIND or document.get("version") != _VERSION:
        raise UsageError(f"{file} is no manifest of a backup that this toolkit knows.")
    try:
        return Backup(
            directory=directory,
            environment=str(document["environment"]),
            address=str(document["address"]),
            index_key=str(document["index_key"]),
            scores={str(name): float(score) for name, score in document["scores"].items()},
            values=tuple(
                SavedValue(
                    str(item["key"]),
                    Path(item["file"]).name,
                    int(item["bytes"]),
                    str(item["crc32c"]),
                    None if item["expires_ms"] is None else int(item["expires_ms"]),
                )
                for item in document["values"]
            ),
            made_at=datetime.fromisoformat(document["made_at"]),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise UsageError(f"{file} is damaged: {error!r} is missing or wrong.") from error


def _document(backup: Backup) -> dict[str, Any]:
    return {
        "kind": _KIND,
        "version": _VERSION,
        "environment": backup.environment,
        "address": backup.address,
        "index_key": backup.index_key,
        "made_at": backup.made_at.isoformat(timespec="seconds"),
        "scores": {name: repr(score) for name, score in backup.scores.items()},
        "values": [
            {
                "key": value.key,
                "file": value.file,
                "bytes": value.bytes,
                "crc32c": value.crc32c,
                "expires_ms": value.expires_ms,
            }
            for value in backup.values
        ],
    }


def _write(
    file: Path, pieces: Iterator[bytes] | list[bytes], length: int | None, key: str, told: Callable[[int], None]
) -> str:
    """Write, flush to the disk, and give back the CRC32C. Raises Failed where it is not `length` bytes."""
    import google_crc32c

    checksum = written = 0
    with file.open("xb") as out:
        for piece in pieces:
            out.write(piece)
            checksum = google_crc32c.extend(checksum, piece)
            written += len(piece)
            told(written)
        out.flush()
        os.fsync(out.fileno())
    if length is not None and written != length:
        raise Failed(
            f"The value of {key!r} changed while it was being saved; nothing was deleted.",
            hint="A rebuild is probably running: `toolkit cache status`.",
        )
    return _encoded(checksum)


def _encoded(checksum: int) -> str:
    return base64.b64encode(checksum.to_bytes(4, "big")).decode("ascii")


def _sync(directory: Path) -> None:
    """Let the names in `directory` outlive a crash, where the platform can."""
    if os.name != "posix":
        return
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _disk_trouble(directory: Path, error: OSError) -> Failed:
    return Failed(
        f"The backup {directory} could not be written: {error.strerror or error}. Nothing was deleted.",
        hint="Is the disk full, or the directory not yours? Name another with --backup.",
    )
