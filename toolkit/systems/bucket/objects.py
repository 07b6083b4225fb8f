"""What the bucket gives back: frozen values about objects, folders and what became of them. No network here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True, slots=True)
class ObjectInfo:
    """An object in one generation. `path` is its full name in the bucket, `crc32c` in base64 as Google writes it.

    `soft_deleted_at` is set where the generation is deleted, and kept for a while: until `kept_until`.
    """

    path: str
    generation: int
    bytes: int
    updated: datetime
    crc32c: str = ""
    soft_deleted_at: datetime | None = None
    kept_until: datetime | None = None

    @property
    def version(self) -> str:
        return str(self.generation)


@dataclass(frozen=True, slots=True)
class FolderInfo:
    """A folder: what names up to a "/" have in common. `path` ends in "/"."""

    path: str


@dataclass(frozen=True)
class ObjectDetails:
    """All that the bucket says of one generation. `facts` are the rest, by the API's names: storage class, encoding,
    who set what (`metadata.KEY`)."""

    object: ObjectInfo
    content_type: str
    md5: str
    created: datetime | None
    facts: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Listing:
    """One level of the bucket, or a page of it."""

    folders: tuple[FolderInfo, ...]
    objects: tuple[ObjectInfo, ...]


@dataclass(frozen=True)
class Usage:
    """How much lies under a path."""

    path: str
    objects: int
    bytes: int
    updated: datetime | None


@dataclass(frozen=True)
class BucketInfo:
    """The bucket's own properties. `soft_delete_seconds` is how long deleted objects are kept; 0: not at all."""

    name: str
    project: str
    location: str
    soft_delete_seconds: int
    versioning: bool = False


@dataclass(frozen=True)
class DeleteResult:
    """What became of objects that were to be deleted. `done` are gone now; of these, `already_gone` were so before.

    `failed` are still there, each with its reason. `stopped` says why it ended before all were tried (else empty).
    """

    done: tuple[ObjectInfo, ...]
    failed: tuple[tuple[ObjectInfo, str], ...] = ()
    already_gone: int = 0
    stopped: str = ""


@dataclass(frozen=True)
class RestoreResult:
    """What became of objects that were to be restored. `done` are back; `already_back` of these were so before."""

    done: tuple[ObjectInfo, ...]
    failed: tuple[tuple[ObjectInfo, str], ...] = ()
    already_back: int = 0
    stopped: str = ""


class Content(Protocol):
    """What can be downloaded: an object of the bucket, a value of Redis. `path` is its name where it lies, `version`
    tells its bytes from those that lie there later; `crc32c` is empty where nobody knows it beforehand."""

    @property
    def path(self) -> str: ...

    @property
    def version(self) -> str: ...

    @property
    def bytes(self) -> int: ...

    @property
    def crc32c(self) -> str: ...


@dataclass(frozen=True)
class Wanted:
    """Something to download, and the file it shall become."""

    object: Content
    file: Path


@dataclass(frozen=True)
class DownloadResult:
    """What became of a download: files written, files that were there already and equal, and what failed and why."""

    done: tuple[Path, ...]
    already_there: tuple[Path, ...] = ()
    failed: tuple[tuple[Content, str], ...] = ()
    bytes: int = 0
