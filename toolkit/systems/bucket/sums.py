"""How much lies in each folder of one level, added up from objects as they are listed. No network here."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from toolkit.systems.bucket.names import Target
from toolkit.systems.bucket.objects import ObjectInfo


@dataclass(frozen=True)
class Sum:
    """How much lies in a folder (or is an object, or all that was asked for). `updated` is the newest object's."""

    path: str
    kind: str
    objects: int
    bytes: int
    updated: datetime | None


def sums_of(where: Target, objects: Iterable[ObjectInfo]) -> list[Sum]:
    """The objects added up by the folders of one level; folders first, as in a listing."""
    found: dict[str, Sum] = {}
    for item in objects:
        inside = item.path.startswith(where.prefix)
        top, slash, _ = item.path.removeprefix(where.prefix).partition("/") if inside else (item.path, "", "")
        path = where.prefix + top + slash if inside else item.path
        before = found.get(path)
        if before is None:
            found[path] = Sum(path, "folder" if slash else "object", 1, item.bytes, item.updated)
        else:
            newest = max(item.updated, before.updated or item.updated)
            found[path] = replace(before, objects=before.objects + 1, bytes=before.bytes + item.bytes, updated=newest)
    return sorted(found.values(), key=lambda item: (item.kind != "folder", item.path))
