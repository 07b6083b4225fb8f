"""One container's log in our words: its stream, its lines, and what happened to it as notices."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from toolkit.logs.entry import Kind, Line, Notice, Stream
from toolkit.logs.source import Window
from toolkit.systems.cluster.log import Batch, Event
from toolkit.systems.cluster.objects import Container, Pod

SOURCE: Final = "pods"
_SECOND: Final = 10**9
_USUAL: Final = frozenset({"", "ContainerCreating", "PodInitializing", "Completed"})


@dataclass(slots=True)
class ContainerLines:
    """Makes Lines and Notices of what the log of `container` in `pod` gives; lines outside `window` are left out."""

    pod: Pod
    container: Container
    window: Window
    stream: Stream
    _newest: int = 0

    @classmethod
    def of(cls, pod: Pod, container: Container, window: Window) -> ContainerLines:
        labels = {"cluster": pod.cluster, "namespace": pod.namespace, "pod": pod.name, "container": container.name}
        origin = f"{pod.cluster}/{pod.namespace}/{pod.name}/{container.name}"
        return cls(pod, container, window, Stream(SOURCE, origin, pod.name, labels))

    @property
    def name(self) -> str:
        """What people call it: the pod, and the container where there are several."""
        return self.pod.name if len(self.pod.parts) < 2 else f"{self.pod.name}/{self.container.name}"

    @property
    def since(self) -> datetime | None:
        """From when on to ask the cluster, to the second."""
        since = self.window.since
        return None if since is None else datetime.fromtimestamp(since // _SECOND, UTC)

    def lines(self, batch: Batch) -> Sequence[Line]:
        """A line without a time has that of the line before it."""
        times, stream, window = batch.times, self.stream, self.window
        if 0 in times:
            last, filled = self._newest or window.since or time.time_ns(), list[int]()
            for at in times:
                last = at or last
                filled.append(last)
            times = filled
        self._newest = times[-1]
        lines = [Line(at, text, stream) for at, text in zip(times, batch.texts, strict=True)]
        if (window.since is None or min(times) >= window.since) and (window.until is None or max(times) < window.until):
            return lines
        return [line for line in lines if window.holds(line.time)]

    def notice(self, event: Event) -> Notice:
        return self.said(Kind(event.kind), event.text, event.at)

    def said(self, kind: Kind, text: str, at: int = 0) -> Notice:
        return Notice(at or time.time_ns(), kind, self.stream, f"{self.name} {text}")

    def trouble(self, container: Container) -> str:
        """Why it does not start, where that is not just a matter of seconds."""
        if container.state != "waiting" or container.reason in _USUAL:
            return ""
        return f"waits: {container.reason}{f' ({container.message})' if container.message else ''}"
