"""The pods of a selection as they come, change and go: a list, then a watch from there, and so on.

A watch ends every half minute, and is dead where it does not; the list after it tells the truth again. Where we may
list but not watch, the list is asked for every two seconds.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from toolkit.errors import ToolkitError, Unreachable
from toolkit.systems.cluster.log_stream import Connections
from toolkit.systems.cluster.log_text import Lines
from toolkit.systems.cluster.objects import Pod, read_pod
from toolkit.systems.cluster.requests import Api, Forbidden, Query
from toolkit.systems.pace import Pace

_WATCH_SECONDS: Final = 30
_GRACE_SECONDS: Final = 5.0
_POLL_SECONDS: Final = 2.0


@dataclass(frozen=True, slots=True)
class Pods:
    """Which pods: those of `namespace` that both selectors find, as `kubectl -l` and `--field-selector` take them."""

    namespace: str
    labels: str = ""
    fields: str = ""

    @property
    def path(self) -> str:
        return f"/api/v1/namespaces/{self.namespace}/pods"

    @property
    def query(self) -> Mapping[str, str]:
        return {"labelSelector": self.labels, "fieldSelector": self.fields}


@dataclass(frozen=True, slots=True)
class Listed:
    """The cluster was asked for all of them and has answered; what follows happened after that."""


@dataclass(frozen=True, slots=True)
class Change:
    """A pod that is new, different, or `gone`."""

    pod: Pod
    gone: bool = False


class PodWatch:
    """Iterate over it: first a Change for each pod that is there, then Listed, then what happens. While the cluster
    cannot be asked, a ToolkitError is given, not raised: it is tried again. `close()` ends it from another thread."""

    def __init__(self, api: Api, pods: Pods) -> None:
        self._api = api
        self._pods = pods
        self._connections = Connections()
        self._closed: threading.Event = self._connections.closed
        self._known: dict[str, Pod] = {}
        self._may_watch = True

    def close(self) -> None:
        self._connections.close()

    def __iter__(self) -> Iterator[Change | Listed | ToolkitError]:
        pace, failures = Pace(), 0
        while not self._closed.is_set():
            try:
                version = yield from self._list()
                yield Listed()
                failures = 0
                if self._may_watch:
                    yield from self._watch(version)
                else:
                    self._closed.wait(_POLL_SECONDS)
            except Forbidden as error:
                if not self._known and failures:
                    yield error
                self._may_watch = False
                failures += 1
            except ToolkitError as error:
                failures += 1
                if not self._closed.is_set() and failures > 1:  # a watch that breaks off once is nobody's concern
                    yield error
            self._closed.wait(pace.pause(failures))

    def _list(self) -> Generator[Change, None, str]:
        """All pods of now; gives back the version from which on to watch. Whatever has changed becomes a Change."""
        found, version = {}, ""
        page: dict[str, Any] = {}
        while True:
            further = str((page.get("metadata") or {}).get("continue") or "")
            page = self._api.get(self._pods.path, {**self._pods.query, "limit": 500, "continue": further})
            for item in page.get("items") or ():
                pod = read_pod(self._api.name, item)
                found[pod.uid] = pod
            version = str((page.get("metadata") or {}).get("resourceVersion") or "")
            if not (page.get("metadata") or {}).get("continue"):
                break
        for uid in [uid for uid in self._known if uid not in found]:
            yield Change(self._known.pop(uid), gone=True)
        for pod in found.values():
            yield from self._changed(pod)
        return version

    def _watch(self, version: str) -> Iterator[Change]:
        """What happens from `version` on, until the watch ends."""
        query: Query = {
            **self._pods.query,
            "watch": True,
            "resourceVersion": version,
            "timeoutSeconds": _WATCH_SECONDS,
        }
        lines = Lines()
        patience = _WATCH_SECONDS + _GRACE_SECONDS
        with self._connections.answer(self._api, self._pods.path, query, patience) as answer:
            answer.patience = patience
            for block in answer.blocks(gather=False):
                if not block:
                    return
                for text in lines.split(block):
                    kind, item = _event(text)
                    if kind == "ERROR":  # our version is too old by now
                        return
                    pod = read_pod(self._api.name, item)
                    if kind == "DELETED":
                        if self._known.pop(pod.uid, None) is not None:
                            yield Change(pod, gone=True)
                    elif kind in ("ADDED", "MODIFIED"):
                        yield from self._changed(pod)

    def _changed(self, pod: Pod) -> Iterator[Change]:
        if self._known.get(pod.uid) != pod:
            self._known[pod.uid] = pod
            yield Change(pod)


def _event(text: str) -> tuple[str, dict[str, Any]]:
    try:
        event = json.loads(text)
        return str(event["type"]), event["object"]
    except (ValueError, KeyError, TypeError) as error:
        raise Unreachable("A watch of pods gave something that is no event.") from error
