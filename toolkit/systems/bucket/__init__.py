"""L3, the bucket: what lies in it, reading it, and the two changes that there are: delete and restore objects.

There is no way here to delete the bucket itself. Paths are full names in the bucket; the part's prefix is only where
one usually looks.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from toolkit.environments import model
from toolkit.permit import Permit
from toolkit.progress import SILENT, Progress
from toolkit.systems.bucket import delete as bucket_delete
from toolkit.systems.bucket import restore as bucket_restore
from toolkit.systems.bucket import transfer as bucket_transfer
from toolkit.systems.bucket.connection import StorageConnection
from toolkit.systems.bucket.errors import Question, refused
from toolkit.systems.bucket.names import Target, argument, shown
from toolkit.systems.bucket.objects import (
    BucketInfo,
    Content,
    DeleteResult,
    DownloadResult,
    FolderInfo,
    Listing,
    ObjectDetails,
    ObjectInfo,
    RestoreResult,
    Usage,
    Wanted,
)

if TYPE_CHECKING:
    from google.cloud import storage

__all__ = [
    "Bucket",
    "BucketInfo",
    "DeleteResult",
    "DownloadResult",
    "FolderInfo",
    "Listing",
    "ObjectDetails",
    "ObjectInfo",
    "RestoreResult",
    "Usage",
]

_PIECE = 1 << 20
_FIELDS = "items(name,generation,size,updated,crc32c,softDeleteTime,hardDeleteTime),prefixes,nextPageToken"


class Bucket:
    """The bucket that `part` names. Every method raises a ToolkitError that says what failed, where, and what next."""

    def __init__(self, part: model.Bucket) -> None:
        self._connection = StorageConnection(part)
        self.name = part.name

    def url(self, path: str = "") -> str:
        """gs://… of a path."""
        return f"gs://{self.name}/{path}"

    def describe(self) -> BucketInfo:
        """The bucket's own properties. Needs storage.buckets.get."""
        question = Question(
            f"look at the bucket gs://{self.name}",
            "storage.buckets.get",
            (f"gcloud storage buckets describe gs://{self.name}",),
        )

        def get() -> storage.Bucket:
            bucket = self._connection.bucket
            bucket.reload(retry=None, timeout=self._connection.timeout)
            return bucket

        found = self._connection.ask(question, get)
        return BucketInfo(
            name=self.name,
            project=self._connection.part.project or str(found.project_number or ""),
            location=str(found.location or ""),
            soft_delete_seconds=int(found.soft_delete_policy.retention_duration_seconds or 0),
            versioning=bool(found.versioning_enabled),
        )

    def list(self, prefix: str = "", delimiter: str = "/") -> Listing:
        """What lies under `prefix`; with delimiter "/" one level of it. All of it, however many pages."""
        folders: set[str] = set()
        objects: list[ObjectInfo] = []
        for items, prefixes in self._pages(prefix, delimiter):
            objects += items
            folders |= prefixes
        return Listing(tuple(FolderInfo(path) for path in sorted(folders)), tuple(objects))

    def pages(self, prefix: str = "", delimiter: str = "/", *, soft_deleted: bool = False) -> Iterator[Listing]:
        """What lies under `prefix`, page by page as it comes (a thousand names each); a folder comes once."""
        seen: set[str] = set()
        for items, prefixes in self._pages(prefix, delimiter, soft_deleted=soft_deleted):
            yield Listing(tuple(FolderInfo(path) for path in sorted(prefixes - seen)), items)
            seen |= prefixes

    def details(self, item: ObjectInfo) -> ObjectDetails:
        """All that is known of exactly that generation, a deleted one too. Raises NotFound where it is gone."""
        url = self.url(item.path)
        question = Question(
            f"look at {shown(item.path)}",
            "storage.objects.get",
            (f"gcloud storage objects describe {argument(f'{url}#{item.generation}')}",),
        )
        deleted = "true" if item.soft_deleted_at is not None else None
        query = {"generation": str(item.generation), "softDeleted": deleted, "prettyPrint": "false"}
        path = f"b/{quote(self.name, safe='')}/o/{quote(item.path, safe='')}"
        return _details(self._connection.ask(question, lambda: self._connection.get(path, query)))

    def objects(self, prefix: str = "") -> Iterator[ObjectInfo]:
        """Every live object under `prefix`, by name, page by page as they are asked for."""
        for items, _ in self._pages(prefix):
            yield from items

    def soft_deleted(self, prefix: str = "") -> Iterator[ObjectInfo]:
        """Every generation under `prefix` that is deleted and still kept."""
        for items, _ in self._pages(prefix, soft_deleted=True):
            yield from items

    def meant(self, target: Target) -> Iterator[ObjectInfo]:
        """The live objects that a typed path means: the object of that name, and what lies in the folder."""
        if target.name is not None:
            found = self.find(target.name)
            if found is not None:
                yield found
        yield from self.objects(target.prefix)

    def find(self, path: str) -> ObjectInfo | None:
        """The live object of exactly that name, None where there is none."""
        question = Question(
            f"look at {shown(path)}",
            "storage.objects.get",
            (f"gcloud storage objects describe {argument(self.url(path))}",),
        )

        def get() -> storage.Blob | None:
            return self._connection.bucket.get_blob(path, retry=None, timeout=self._connection.timeout)

        found = self._connection.ask(question, get)
        return None if found is None else _info(found)

    def usage(self, path: str = "") -> Usage:
        """How much lies under `path` (a prefix)."""
        count = size = 0
        newest = None
        for item in self.objects(path):
            count += 1
            size += item.bytes
            newest = item.updated if newest is None else max(newest, item.updated)
        return Usage(path, count, size, newest)

    def read(self, path: str, start: int = 0, end: int | None = None, generation: int | None = None) -> bytes:
        """Bytes start to end (not included; None: to its end) of an object, as they are stored.

        A negative `start` counts from the end. With `generation`, NotFound unless exactly that one lives.
        """
        if end is not None and end <= start:
            return b""
        return self._content(path, start, end, generation)

    def download(
        self,
        wanted: Sequence[Wanted],
        progress: Progress = SILENT,
        *,
        overwrite: bool = False,
        finished: bucket_transfer.Finished = bucket_transfer.ignored,
    ) -> DownloadResult:
        """Write each wanted object to its file; see bucket_transfer.download."""

        def read(item: Content, start: int, end: int) -> bytes:
            return self._content(item.path, start, end, int(item.version), exact=True, progress=progress)

        return bucket_transfer.download(wanted, read, progress, overwrite=overwrite, finished=finished)

    def delete(self, objects: Iterable[ObjectInfo], permit: Permit, progress: Progress = SILENT) -> DeleteResult:
        """Delete objects, each in exactly its generation; see bucket_delete.delete."""
        return bucket_delete.delete(self._connection, objects, permit, progress)

    def restore(
        self,
        objects: Sequence[ObjectInfo],
        permit: Permit,
        progress: Progress = SILENT,
        *,
        replacing: Mapping[str, int] | None = None,
    ) -> RestoreResult:
        """Bring soft-deleted objects back; `replacing` are live generations (by path) that may be replaced."""
        return bucket_restore.restore(self._connection, objects, replacing or {}, permit, progress)

    def may(self, permissions: Sequence[str]) -> tuple[str, ...]:
        """Those of `permissions` (storage.objects.delete …) that we have on this bucket."""
        question = Question(f"ask what you may do in gs://{self.name}", "storage.buckets.get")
        granted = self._connection.ask(
            question,
            lambda: self._connection.bucket.test_iam_permissions(
                [*permissions], retry=None, timeout=self._connection.timeout
            ),
        )
        return tuple(name for name in permissions if name in granted)

    def close(self) -> None:
        self._connection.close()

    def _content(
        self,
        path: str,
        start: int,
        end: int | None,
        generation: int | None,
        *,
        exact: bool = False,
        progress: Progress = SILENT,
    ) -> bytes:
        """As `read`; with `exact` fewer bytes than asked for are a broken connection, and asked for again.

        Raises Interrupted on request, in the middle too: on a slow line the rest would take a while.
        """
        question = Question(
            f"read {shown(path)}",
            "storage.objects.get",
            (f"gcloud storage cat {argument(self.url(path))} | head -c 100",),
        )
        name = f"b/{quote(self.name, safe='')}/o/{quote(path, safe='')}"
        query = "" if generation is None else f"&generation={generation}"
        headers = {"Accept-Encoding": "gzip"}  # else Google unpacks what is stored compressed, and ignores the range
        if start < 0 or start or end is not None:
            headers["Range"] = f"bytes={start}" if start < 0 else f"bytes={start}-{'' if end is None else end - 1}"

        def get() -> bytes:
            connection = self._connection
            url = f"{connection.address}/download/storage/v1/{name}?alt=media{query}"
            with connection.session.get(url, headers=headers, timeout=connection.timeout, stream=True) as response:
                if response.status_code == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
                    return b""  # it begins behind the object's end
                if not response.ok:
                    raise refused(response)
                pieces = []
                while piece := response.raw.read(_PIECE, decode_content=False):
                    progress.check_stop()
                    pieces.append(piece)
                content = b"".join(pieces)
            if end is not None and (len(content) > end - start or (exact and len(content) != end - start)):
                raise ConnectionError(f"{end - start} bytes were asked for, {len(content)} came")
            return content

        return self._connection.ask(question, get)

    def _pages(
        self, prefix: str, delimiter: str = "", *, soft_deleted: bool = False
    ) -> Iterator[tuple[tuple[ObjectInfo, ...], set[str]]]:
        """Objects and folders, page by page; a page that fails is asked for again by itself."""
        question = Question(
            f"list {self.url(shown(prefix))}",
            "storage.objects.list",
            (f"gcloud storage ls {argument(self.url(prefix))}",),
        )
        token: str | None = None
        while True:

            def page(token: str | None = token) -> dict[str, Any]:
                query = {"prefix": prefix or None, "delimiter": delimiter or None, "pageToken": token}
                query |= {"softDeleted": "true" if soft_deleted else None, "fields": _FIELDS, "prettyPrint": "false"}
                return self._connection.get(f"b/{quote(self.name, safe='')}/o", query)

            found = self._connection.ask(question, page)
            yield tuple(map(_listed, found.get("items", ()))), set(found.get("prefixes", ()))
            token = found.get("nextPageToken")
            if not token:
                return


def _time(item: Mapping[str, Any], name: str) -> datetime | None:
    return datetime.fromisoformat(item[name]) if item.get(name) else None


def _details(item: Mapping[str, Any]) -> ObjectDetails:
    named = {
        "storage class": "storageClass", "encoding": "contentEncoding", "cache control": "cacheControl",
        "metageneration": "metageneration", "etag": "etag", "key": "kmsKeyName", "parts": "componentCount",
    }  # fmt: skip
    facts = [(label, str(item[name])) for label, name in named.items() if item.get(name)]
    for label, name in (("hold until", "retentionExpirationTime"), ("finalized", "timeFinalized")):
        if item.get(name):
            facts.append((label, str(item[name])))
    facts += [(f"metadata.{key}", str(value)) for key, value in sorted((item.get("metadata") or {}).items())]
    return ObjectDetails(
        _listed(item),
        content_type=str(item.get("contentType") or ""),
        md5=str(item.get("md5Hash") or ""),
        created=_time(item, "timeCreated"),
        facts=tuple(facts),
    )


def _listed(item: Mapping[str, Any]) -> ObjectInfo:
    """An object of a listing. Source: the JSON API's object resource."""
    return ObjectInfo(
        path=item["name"],
        generation=int(item["generation"]),
        bytes=int(item.get("size") or 0),
        updated=datetime.fromisoformat(item["updated"]),
        crc32c=str(item.get("crc32c") or ""),
        soft_deleted_at=_time(item, "softDeleteTime"),
        kept_until=_time(item, "hardDeleteTime"),
    )


def _info(blob: storage.Blob) -> ObjectInfo:
    return ObjectInfo(
        path=blob.name,
        generation=int(blob.generation),
        bytes=int(blob.size or 0),
        updated=blob.updated,
        crc32c=str(blob.crc32c or ""),
        soft_deleted_at=blob.soft_delete_time,
    )
