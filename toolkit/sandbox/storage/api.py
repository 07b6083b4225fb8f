"""Google's storage JSON API on loopback, as far as the toolkit and a cache manager use it.

Buckets (get, list, testIamPermissions), objects (get, list by pages with prefix, delimiter and softDeleted, download
with ranges, delete, restore, uploads), generations and ifGenerationMatch/ifGenerationNotMatch everywhere, batches of
up to 100 calls, soft delete with retention. Faults can be switched on (`faults`), requests and bytes are counted.

Left out, and answered with 501 where asked for: making and deleting buckets, listing old versions, matchGlob, offsets,
metageneration conditions, ACLs, patch, copy, compose, notifications, checking credentials, customer keys.
"""

from __future__ import annotations

import asyncio
import builtins
import contextlib
import re
import threading
import weakref
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from aiohttp import web

from toolkit.sandbox.storage.batch import Call, SubAnswer, calls, joined
from toolkit.sandbox.storage.faults import PERMISSIONS, Faults
from toolkit.sandbox.storage.objects import WEEK, StorageError, Store, StoredBucket, Version
from toolkit.sandbox.storage.resources import bucket_resource, error_resource, resource
from toolkit.sandbox.storage.uploads import Uploads

_PAGE = 1000
_MOST_IN_A_BATCH = 100
_UNKNOWN = ("versions", "matchGlob", "startOffset", "endOffset", "ifMetagenerationMatch", "ifMetagenerationNotMatch")
_BUCKET = re.compile(r"(?:/storage/v1)?/b/([^/]+)")
_TEST = re.compile(_BUCKET.pattern + r"/iam/testPermissions")
_LIST = re.compile(_BUCKET.pattern + r"/o")
_RESTORE = re.compile(_BUCKET.pattern + r"/o/([^/]+)/restore")
_OBJECT = re.compile(r"(?:/download)?" + _BUCKET.pattern + r"/o/([^/]+)")
_UPLOAD = re.compile(r"/upload/storage/v1/b/([^/]+)/o")


class _Http(web.Server):
    """aiohttp's server, which only asks its connections to close: `end` sees to it that they do."""

    def __init__(self, handler: Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]) -> None:
        super().__init__(handler)
        self._open: weakref.WeakSet[asyncio.Transport] = weakref.WeakSet()

    def connection_made(self, handler: web.RequestHandler, transport: asyncio.Transport) -> None:
        self._open.add(transport)
        super().connection_made(handler, transport)

    async def end(self, listening: asyncio.Server) -> None:
        """Stop listening, let what is under way come to its end for a moment, then close every connection."""
        with contextlib.suppress(NotImplementedError):
            # Or else a connection that comes in while the server closes is neither taken nor closed by asyncio.
            for socket in listening.sockets:
                asyncio.get_running_loop().remove_reader(socket.fileno())
        await _turns(5)
        listening.close()
        self.pre_shutdown()
        await self.shutdown(0.2)
        for transport in list(self._open):
            transport.abort()
        await _turns(5)


async def _turns(count: int) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


@dataclass(frozen=True)
class _Answer:
    """What a call gives: a status with JSON (None: no body), or a version whose bytes are to be sent."""

    status: int
    json: Any = None
    download: Version | None = None
    headers: Mapping[str, str] | None = None


class StorageServer:
    """The server, in a thread of its own. `start()` gives back when it listens; `stop()` ends it.

    With `directory` the objects' contents lie there as files, else in memory.
    """

    def __init__(self, directory: Path | None = None, host: str = "127.0.0.1", port: int = 0) -> None:
        self.store = Store(directory)
        self.faults = Faults()
        self.requests: Counter[str] = Counter()
        self.log: deque[str] = deque(maxlen=50_000)
        self.requests_under_way = 0
        self.bytes_sent = 0
        self._host, self._port = host, port
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ended: asyncio.Event | None = None
        self._thread: threading.Thread | None = None
        self._uploads = Uploads(self.store)

    @property
    def url(self) -> str:
        return f"http://{self._host}:{self._port}"

    @property
    def request_count(self) -> int:
        return sum(self.requests.values())

    def add_bucket(
        self, name: str, project: str = "", *, soft_delete_seconds: int = WEEK, versioning: bool = False
    ) -> StoredBucket:
        """A new, empty bucket."""
        bucket = StoredBucket(name, project, soft_delete_seconds=soft_delete_seconds, versioning=versioning)
        self.store.add_bucket(bucket)
        return bucket

    def put(
        self, bucket: str, path: str, content: bytes | Path, content_type: str = "application/octet-stream"
    ) -> Version:
        """Write an object as the world's other parts do, past all faults. A Path is used where it lies."""
        return self.store.put(bucket, path, content, content_type)

    def delete(self, bucket: str, path: str) -> None:
        self.store.delete(bucket, path)

    def list(self, bucket: str, prefix: str = "") -> Sequence[str]:
        """Names of the live objects."""
        return self.store.paths(bucket, prefix)

    def read(self, bucket: str, path: str) -> bytes:
        version = self.store.get(bucket, path)
        return b"".join(version.read(0, version.size))

    def start(self) -> None:
        """Listen, in a thread. Raises OSError where the port is taken."""
        ready = threading.Event()
        problems: list[OSError] = []
        self._thread = threading.Thread(target=self._run, args=(ready, problems), name="storage-api", daemon=True)
        self._thread.start()
        ready.wait()
        if problems:
            self._thread.join()
            raise problems[0]

    def stop(self) -> None:
        """Stop listening and end every connection. A stopped server can be started again, on the same port."""
        if self._loop is not None and self._ended is not None and self._thread is not None:
            with contextlib.suppress(RuntimeError):  # the loop has ended by itself
                self._loop.call_soon_threadsafe(self._ended.set)
            self._thread.join()
        self._loop = self._ended = self._thread = None

    def _run(self, ready: threading.Event, problems: builtins.list[OSError]) -> None:
        try:
            asyncio.run(self._serve(ready))
        except OSError as error:
            problems.append(error)
        finally:
            ready.set()

    async def _serve(self, ready: threading.Event) -> None:
        loop = asyncio.get_running_loop()
        http = _Http(self._handle)
        listening = await loop.create_server(http, self._host, self._port)
        self._port = int(listening.sockets[0].getsockname()[1])
        self._loop, self._ended = loop, asyncio.Event()
        ready.set()
        await self._ended.wait()
        await http.end(listening)

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        self.requests_under_way += 1
        try:
            return await self._answer(request)
        finally:
            self.requests_under_way -= 1

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        body = await request.content.read()
        path, _, _ = request.raw_path.partition("?")
        self.requests[f"{request.method} {_kind(path)}"] += 1
        self.log.append(f"{request.method} {request.raw_path}")
        if self.faults.latency:
            await asyncio.sleep(self.faults.latency)
        try:
            if self.faults.failing:
                status = self.faults.failing.pop(0)
                raise StorageError(status, "backendError", _ORDINARY.get(status, "Something failed."))
            if path == "/batch/storage/v1":
                return await self._batch(request, body)
            upload = _UPLOAD.fullmatch(path)
            if upload:
                self._need(unquote(upload[1]), "storage.objects.create")
                return self._uploads.answer(
                    request, unquote(upload[1]), body, lambda version: resource(self.url, version)
                )
            answer = self._call(Call(request.method, request.raw_path))
        except StorageError as error:
            return web.json_response(error_resource(error), status=error.status)
        if answer.download is not None:
            return await self._send(request, answer.download)
        if answer.json is None:
            return web.Response(status=answer.status)
        return web.json_response(answer.json, status=answer.status)

    def _call(self, call: Call) -> _Answer:
        """One call of the API, alone or out of a batch."""
        split = urlsplit(call.path)
        query = {key: values[-1] for key, values in parse_qs(split.query, keep_blank_values=True).items()}
        for name in _UNKNOWN:
            if name in query:
                raise StorageError(501, "notImplemented", f"The sandbox's storage does not know {name}.")
        match call.method:
            case "GET" if found := _TEST.fullmatch(split.path):
                asked = parse_qs(split.query).get("permissions", [])
                return _Answer(200, self._test(unquote(found[1]), asked))
            case "GET" if found := _LIST.fullmatch(split.path):
                return _Answer(200, self._list(unquote(found[1]), query))
            case "GET" if found := _BUCKET.fullmatch(split.path):
                self._need(unquote(found[1]), "storage.buckets.get")
                return _Answer(200, bucket_resource(self.store.bucket(unquote(found[1]))))
            case "GET" if found := _OBJECT.fullmatch(split.path):
                return self._get(unquote(found[1]), unquote(found[2]), query, media=split.path.startswith("/download"))
            case "DELETE" if found := _OBJECT.fullmatch(split.path):
                return self._delete(unquote(found[1]), unquote(found[2]), query)
            case "POST" if found := _RESTORE.fullmatch(split.path):
                return self._restore(unquote(found[1]), unquote(found[2]), query)
        raise StorageError(501, "notImplemented", f"The sandbox's storage does not know {call.method} {split.path}.")

    def _need(self, bucket: str, permission: str) -> None:
        if permission in self.faults.denied.get(bucket, ()):
            kind = "object" if permission in ("storage.objects.get", "storage.objects.delete") else "bucket"
            raise StorageError(
                403,
                "forbidden",
                f"on-call@example.com does not have {permission} access to the Google Cloud Storage {kind}. "
                f"Permission '{permission}' denied on resource (or it may not exist).",
            )

    def _test(self, bucket: str, asked: Sequence[str]) -> dict[str, Any]:
        self.store.bucket(bucket)
        denied = self.faults.denied.get(bucket, set())
        if denied >= set(PERMISSIONS):
            self._need(bucket, "storage.buckets.get")
        granted = [name for name in asked if name in PERMISSIONS and name not in denied]
        return {"kind": "storage#testIamPermissionsResponse", **({"permissions": granted} if granted else {})}

    def _list(self, bucket: str, query: Mapping[str, str]) -> dict[str, Any]:
        self._need(bucket, "storage.objects.list")
        limit = min(int(query.get("maxResults") or _PAGE), _PAGE)
        soft = query.get("softDeleted", "").lower() == "true"
        page = self.store.page(
            bucket, query.get("prefix", ""), query.get("delimiter", ""), query.get("pageToken", ""), limit, soft=soft
        )
        wanted = re.search(r"items\(([^)]*)\)", query.get("fields", ""))
        keys = set(wanted[1].split(",")) if wanted else None
        found: dict[str, Any] = {"kind": "storage#objects"}
        if page.token:
            found["nextPageToken"] = page.token
        if page.prefixes:
            found["prefixes"] = page.prefixes
        if page.items:
            found["items"] = [
                {key: value for key, value in resource(self.url, item).items() if keys is None or key in keys}
                for item in page.items
            ]
        return found

    def _get(self, bucket: str, path: str, query: Mapping[str, str], *, media: bool) -> _Answer:
        self._need(bucket, "storage.objects.get")
        generation = int(query["generation"]) if "generation" in query else None
        if query.get("softDeleted", "").lower() == "true":
            if generation is None:
                raise StorageError(400, "required", "Required parameter: generation")
            return _Answer(200, resource(self.url, self.store.soft_deleted(bucket, path, generation)))
        version = self.store.get(bucket, path, generation)
        self._check_conditions(bucket, path, query)
        if media or query.get("alt") == "media":
            return _Answer(200, download=version)
        return _Answer(200, resource(self.url, version))

    def _delete(self, bucket: str, path: str, query: Mapping[str, str]) -> _Answer:
        self._need(bucket, "storage.objects.delete")
        self._check_object(path)
        self.store.get(bucket, path, int(query["generation"]) if "generation" in query else None)
        self._check_conditions(bucket, path, query)
        self.store.delete(bucket, path)
        return _Answer(204)

    def _restore(self, bucket: str, path: str, query: Mapping[str, str]) -> _Answer:
        self._need(bucket, "storage.objects.restore")
        self._check_object(path)
        if "generation" not in query:
            raise StorageError(400, "required", "Required parameter: generation")
        self.store.soft_deleted(bucket, path, int(query["generation"]))
        self._check_conditions(bucket, path, query)
        return _Answer(200, resource(self.url, self.store.restore(bucket, path, int(query["generation"]))))

    def _check_object(self, path: str) -> None:
        status = self.faults.object_status(path)
        if status is not None:
            raise StorageError(status, "objectFault", _ORDINARY.get(status, "Something failed."))

    def _check_conditions(self, bucket: str, path: str, query: Mapping[str, str]) -> None:
        live = self.store.live_generation(bucket, path)
        wanted, unwanted = query.get("ifGenerationMatch"), query.get("ifGenerationNotMatch")
        if (wanted is not None and int(wanted) != live) or (unwanted is not None and int(unwanted) == live):
            raise StorageError(412, "conditionNotMet", "At least one of the pre-conditions you specified did not hold.")

    async def _batch(self, request: web.BaseRequest, body: bytes) -> web.StreamResponse:
        asked = calls(request.headers.get("Content-Type", ""), body)
        if len(asked) > _MOST_IN_A_BATCH:
            raise StorageError(400, "tooManyParts", f"The batch has more than {_MOST_IN_A_BATCH} calls.")
        answers = []
        for call in asked:
            try:
                done = self._call(call)
                answers.append(SubAnswer(done.status, done.json, call.id))
            except StorageError as error:
                answers.append(SubAnswer(error.status, error_resource(error), call.id))
        if self.faults.shuffle:
            answers.reverse()
        if self.faults.mute > 0:
            self.faults.mute -= 1
            if request.transport is not None:
                request.transport.abort()
        content_type, joint = joined(answers)
        return web.Response(body=joint, headers={"Content-Type": content_type})

    async def _send(self, request: web.BaseRequest, version: Version) -> web.StreamResponse:
        start, end, ranged = _range(request.headers.get("Range", ""), version.size)
        headers = {
            "Content-Type": version.content_type,
            "Content-Length": str(end - start),
            "X-Goog-Generation": str(version.generation),
            "X-Goog-Stored-Content-Length": str(version.size),
            "X-Goog-Stored-Content-Encoding": version.content_encoding or "identity",
            "X-Goog-Hash": f"crc32c={version.crc32c}",
        }
        if version.content_encoding:
            headers["Content-Encoding"] = version.content_encoding
        if ranged and start >= version.size:
            return web.Response(status=416, headers={"Content-Range": f"bytes */{version.size}"})
        if ranged:
            headers["Content-Range"] = f"bytes {start}-{end - 1}/{version.size}"
        response = web.StreamResponse(status=206 if ranged else 200, headers=headers)
        await response.prepare(request)
        cut = None
        if self.faults.cuts > 0:
            self.faults.cuts -= 1
            cut = self.faults.cut_after
        corrupt = self.faults.corrupt > 0
        self.faults.corrupt -= corrupt
        for block in version.read(start, end):
            sent = bytes([block[0] ^ 1]) + block[1:] if corrupt else block
            corrupt = False
            if cut is not None:
                await response.write(sent[:cut])
                cut -= len(sent)
                if cut <= 0:
                    if request.transport is not None:
                        request.transport.close()
                    return response
            else:
                await response.write(sent)
            self.bytes_sent += len(sent)
        await response.write_eof()
        return response


_ORDINARY = {
    403: "on-call@example.com does not have storage.objects.delete access to the Google Cloud Storage object. "
    "Permission 'storage.objects.delete' denied on resource (or it may not exist).",
    429: "The rate of change requests to the object exceeds the limit. Please reduce the rate.",
    503: "We encountered an internal error. Please try again.",
}


def _kind(path: str) -> str:
    """What a path is about, for the counter: batch, upload, list, restore, download, object, bucket."""
    for kind, pattern in (("upload", _UPLOAD), ("list", _LIST), ("restore", _RESTORE), ("test", _TEST)):
        if pattern.fullmatch(path):
            return kind
    if _OBJECT.fullmatch(path):
        return "download" if path.startswith("/download") else "object"
    return "batch" if path == "/batch/storage/v1" else "bucket"


def _range(header: str, size: int) -> tuple[int, int, bool]:
    """Start, end (not included) and whether a range was asked for; anything else than one range asks for all."""
    found = re.fullmatch(r"\s*bytes=(\d*)-(\d*)\s*", header, re.IGNORECASE)
    if not found or not (found[1] or found[2]):
        return 0, size, False
    if not found[1]:
        return max(0, size - int(found[2])), size, True
    end = min(size, int(found[2]) + 1) if found[2] else size
    return int(found[1]), max(end, int(found[1])), True
