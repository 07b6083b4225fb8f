"""The sandbox's Vault, its key-value engines: version 1 (plain paths) and version 2 (`data/`, `metadata/`, versions).

Each takes an HTTP method, the path below the mount and the body, and gives back a status with what Vault would say.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from toolkit.sandbox.vault.policies import timestamp

Body = Mapping[str, Any]

WRONG_VERSION = (
    "Invalid path for a versioned K/V secrets engine. See the API docs for the appropriate API endpoints to use. "
    "If using the Vault CLI, use 'vault kv get' for this operation."
)


@dataclass(frozen=True)
class Answer:
    """What Vault answers: `data` in the usual envelope; or `errors`; or nothing (204)."""

    status: int = 200
    data: Any = None
    errors: tuple[str, ...] | None = None
    warnings: tuple[str, ...] = ()
    auth: Mapping[str, Any] | None = None
    lease_seconds: int = 0


NOTHING = Answer(204)
NOT_FOUND = Answer(404, errors=())


class Engine(Protocol):
    """A secrets engine at a mount."""

    @property
    def version(self) -> int: ...

    def has(self, path: str) -> bool: ...

    def put(self, path: str, data: Mapping[str, Any]) -> None: ...

    def answer(self, method: str, path: str, query: Mapping[str, str], body: Body) -> Answer: ...


class KvOne:
    """KV version 1: the last value written, at its plain path."""

    version = 1

    def __init__(self) -> None:
        self._values: dict[str, dict[str, Any]] = {}

    def has(self, path: str) -> bool:
        return path in self._values

    def put(self, path: str, data: Mapping[str, Any]) -> None:
        self._values[path] = dict(data)

    def answer(self, method: str, path: str, query: Mapping[str, str], body: Body) -> Answer:
        del query
        if method == "LIST":
            return _listed(self._values, path)
        if method == "GET":
            if path not in self._values:
                return NOT_FOUND
            return Answer(data=self._values[path], lease_seconds=2764800)
        if method in ("POST", "PUT"):
            self.put(path, body)
            return NOTHING
        if method == "DELETE":
            self._values.pop(path, None)
            return NOTHING
        return Answer(405, errors=("unsupported operation",))


@dataclass
class _Version:
    data: dict[str, Any]
    created: float
    deleted: float | None = None
    destroyed: bool = False

    def metadata(self, number: int) -> dict[str, Any]:
        return {
            "created_time": timestamp(self.created),
            "custom_metadata": None,
            "deletion_time": "" if self.deleted is None else timestamp(self.deleted),
            "destroyed": self.destroyed,
            "version": number,
        }


@dataclass
class _Key:
    versions: dict[int, _Version] = field(default_factory=dict)

    @property
    def current(self) -> int:
        return max(self.versions, default=0)


class KvTwo:
    """KV version 2: values below `data/`, what is known about them below `metadata/`, every version kept."""

    version = 2

    def __init__(self) -> None:
        self._keys: dict[str, _Key] = {}

    def has(self, path: str) -> bool:
        return path.partition("/")[2] in self._keys

    def put(self, path: str, data: Mapping[str, Any]) -> None:
        key = self._keys.setdefault(path, _Key())
        key.versions[key.current + 1] = _Version(dict(data), time.time())

    def answer(self, method: str, path: str, query: Mapping[str, str], body: Body) -> Answer:
        kind, _, name = path.partition("/")
        if kind == "data" and name:
            return self._data(method, name, query, body)
        if kind == "metadata":
            return self._metadata(method, name)
        if kind in ("delete", "undelete", "destroy") and name and method in ("POST", "PUT"):
            return self._mark(kind, name, [int(number) for number in body.get("versions", [])])
        return Answer(404, warnings=(WRONG_VERSION,))

    def _data(self, method: str, name: str, query: Mapping[str, str], body: Body) -> Answer:
        key = self._keys.get(name)
        if method == "GET":
            if key is None:
                return NOT_FOUND
            number = int(query.get("version") or 0) or key.current
            version = key.versions.get(number)
            if version is None:
                return NOT_FOUND
            gone = version.deleted is not None or version.destroyed
            data = {"data": None if gone else version.data, "metadata": version.metadata(number)}
            return Answer(404 if gone else 200, data=data)
        if method in ("POST", "PUT"):
            if not isinstance(body.get("data"), dict):
                return Answer(400, errors=("no data provided",))
            cas = (body.get("options") or {}).get("cas")
            if cas is not None and cas != (key.current if key else 0):
                return Answer(400, errors=("check-and-set parameter did not match the current version",))
            self.put(name, body["data"])
            key = self._keys[name]
            return Answer(data=key.versions[key.current].metadata(key.current))
        if method == "DELETE":
            return self._mark("delete", name, [key.current] if key else [])
        return Answer(405, errors=("unsupported operation",))

    def _metadata(self, method: str, name: str) -> Answer:
        if method == "LIST":
            return _listed(self._keys, name)
        key = self._keys.get(name)
        if method == "DELETE":
            self._keys.pop(name, None)
            return NOTHING
        if key is None:
            return NOT_FOUND
        numbers = sorted(key.versions)
        return Answer(
            data={
                "cas_required": False,
                "created_time": timestamp(key.versions[numbers[0]].created),
                "current_version": key.current,
                "custom_metadata": None,
                "delete_version_after": "0s",
                "max_versions": 0,
                "oldest_version": numbers[0],
                "updated_time": timestamp(key.versions[numbers[-1]].created),
                "versions": {
                    str(number): {
                        name: value
                        for name, value in key.versions[number].metadata(number).items()
                        if name in ("created_time", "deletion_time", "destroyed")
                    }
                    for number in numbers
                },
            }
        )

    def _mark(self, kind: str, name: str, numbers: list[int]) -> Answer:
        key = self._keys.get(name)
        for number in numbers if key else ():
            version = key.versions.get(number) if key else None
            if version is None:
                continue
            if kind == "delete":
                version.deleted = time.time()
            elif kind == "undelete":
                version.deleted = None
            else:
                version.destroyed, version.data = True, {}
        return NOTHING


def _listed(names: Mapping[str, object], path: str) -> Answer:
    """The names directly below `path`; folders end in a slash."""
    prefix = f"{path.strip('/')}/" if path.strip("/") else ""
    found = set()
    for name in names:
        if name.startswith(prefix):
            first, slash, _ = name.removeprefix(prefix).partition("/")
            found.add(first + slash)
    return Answer(data={"keys": sorted(found)}) if found else NOT_FOUND
