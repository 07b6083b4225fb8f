"""Buckets, objects and errors as Google's storage API writes them in JSON."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from toolkit.sandbox.storage.objects import StorageError, StoredBucket, Version


def resource(url: str, version: Version) -> dict[str, Any]:
    """An object; `url` is the server's, for its links."""
    name = quote(version.path, safe="")
    shown: dict[str, Any] = {
        "kind": "storage#object",
        "id": f"{version.bucket}/{version.path}/{version.generation}",
        "selfLink": f"{url}/storage/v1/b/{version.bucket}/o/{name}",
        "mediaLink": f"{url}/download/storage/v1/b/{version.bucket}/o/{name}?generation={version.generation}&alt=media",
        "name": version.path,
        "bucket": version.bucket,
        "generation": str(version.generation),
        "metageneration": "1",
        "contentType": version.content_type,
        "storageClass": "STANDARD",
        "size": str(version.size),
        "crc32c": version.crc32c,
        "etag": str(version.generation),
        "timeCreated": version.created.isoformat().replace("+00:00", "Z"),
        "updated": version.created.isoformat().replace("+00:00", "Z"),
    }
    if version.content_encoding:
        shown["contentEncoding"] = version.content_encoding
    if version.soft_deleted_at and version.hard_deleted_at:
        shown["softDeleteTime"] = version.soft_deleted_at.isoformat().replace("+00:00", "Z")
        shown["hardDeleteTime"] = version.hard_deleted_at.isoformat().replace("+00:00", "Z")
    return shown


def bucket_resource(bucket: StoredBucket) -> dict[str, Any]:
    created = bucket.created.isoformat().replace("+00:00", "Z")
    return {
        "kind": "storage#bucket",
        "id": bucket.name,
        "name": bucket.name,
        "projectNumber": "100000000006",
        "metageneration": "1",
        "location": bucket.location,
        "locationType": "region",
        "storageClass": "STANDARD",
        "timeCreated": created,
        "updated": created,
        "versioning": {"enabled": bucket.versioning},
        "softDeletePolicy": {"retentionDurationSeconds": str(bucket.soft_delete_seconds), "effectiveTime": created},
    }


def error_resource(error: StorageError) -> dict[str, Any]:
    item = {"message": error.message, "domain": "global", "reason": error.reason}
    return {"error": {"code": error.status, "message": error.message, "errors": [item]}}
