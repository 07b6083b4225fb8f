"""Uploads to the sandbox's storage server: in one piece, with metadata (multipart/related), or resumable."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from toolkit.sandbox.storage.objects import StorageError, Store, Version

_PLAIN = "application/octet-stream"


@dataclass
class _Resumable:
    path: str
    content_type: str
    conditions: dict[str, str]
    content: bytearray = field(default_factory=bytearray)


class Uploads:
    """The uploads of one server; a resumable one is remembered until its last chunk has come."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._open: dict[str, _Resumable] = {}

    def answer(
        self, request: web.BaseRequest, bucket: str, body: bytes, shown: Callable[[Version], dict[str, Any]]
    ) -> web.Response:
        """Take an upload request; `shown` makes the object's JSON."""
        query = dict(request.query)
        if "upload_id" in query:
            return self._chunk(request, bucket, query["upload_id"], body, shown)
        match query.get("uploadType"):
            case "media":
                content_type = request.headers.get("Content-Type", _PLAIN)
                return web.json_response(shown(self._write(bucket, query["name"], body, content_type, query)))
            case "multipart":
                meta, content_type, content = _related(request.headers.get("Content-Type", ""), body)
                path = query.get("name") or str(meta.get("name", ""))
                return web.json_response(shown(self._write(bucket, path, content, content_type, query)))
            case "resumable":
                meta = json.loads(body) if body else {}
                path = query.get("name") or str(meta.get("name", ""))
                self._store.bucket(bucket)
                own = uuid.uuid4().hex
                self._open[own] = _Resumable(path, request.headers.get("X-Upload-Content-Type", _PLAIN), query)
                place = str(request.url.update_query({"upload_id": own}))
                return web.Response(headers={"Location": place, "X-GUploader-UploadID": own})
        raise StorageError(400, "invalid", "uploadType is missing or unknown.")

    def _chunk(
        self, request: web.BaseRequest, bucket: str, own: str, body: bytes, shown: Callable[[Version], dict[str, Any]]
    ) -> web.Response:
        upload = self._open.get(own)
        if upload is None:
            raise StorageError(404, "notFound", "No such upload.")
        place = re.fullmatch(r"bytes (?:(\d+)-(\d+)|\*)/(\d+|\*)", request.headers.get("Content-Range", "").strip())
        if place and place[1] is not None and int(place[1]) != len(upload.content):
            raise StorageError(400, "invalid", f"Chunk starts at {place[1]}, {len(upload.content)} bytes are here.")
        upload.content += body
        total = len(upload.content) if place is None else None if place[3] == "*" else int(place[3])
        if total is None or len(upload.content) < total:
            held = {"Range": f"bytes=0-{len(upload.content) - 1}"} if upload.content else {}
            return web.Response(status=308, headers=held)
        del self._open[own]
        version = self._write(bucket, upload.path, bytes(upload.content), upload.content_type, upload.conditions)
        return web.json_response(shown(version))

    def _write(self, bucket: str, path: str, content: bytes, content_type: str, query: dict[str, str]) -> Version:
        if not path:
            raise StorageError(400, "required", "Required: the object's name.")
        wanted = query.get("ifGenerationMatch")
        if wanted is not None and int(wanted) != self._store.live_generation(bucket, path):
            raise StorageError(412, "conditionNotMet", "At least one of the pre-conditions you specified did not hold.")
        return self._store.put(bucket, path, content, content_type)


def _related(content_type: str, body: bytes) -> tuple[dict[str, Any], str, bytes]:
    """Metadata, content type and content of a multipart/related upload."""
    boundary = re.search(r"boundary=['\"]?([^'\";]+)['\"]?", content_type)
    parts = body.split(b"--" + boundary[1].encode()) if boundary else []
    if len(parts) != 4:
        raise StorageError(400, "invalid", "A multipart upload has two parts.")
    heads_and_contents = [part.removeprefix(b"\r\n").partition(b"\r\n\r\n") for part in parts[1:3]]
    kind = re.search(rb"content-type:\s*([^\r\n]+)", heads_and_contents[1][0], re.IGNORECASE)
    content = heads_and_contents[1][2].removesuffix(b"\r\n")
    return json.loads(heads_and_contents[0][2]), kind[1].decode() if kind else _PLAIN, content
