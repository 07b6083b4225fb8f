"""Pods that are followed as they come and go: a thread for each container that has begun, and one that watches."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import Final

from toolkit.errors import ToolkitError
from toolkit.logs.container import SOURCE, ContainerLines
from toolkit.logs.entry import Kind, Notice, Stream
from toolkit.logs.source import Sink, Window
from toolkit.logs.workloads import Chosen
from toolkit.systems.cluster import Cluster
from toolkit.systems.cluster.log import Batch, Event, PodLog
from toolkit.systems.cluster.objects import Container, Pod
from toolkit.systems.cluster.pod_watch import Change, Listed
from toolkit.systems.pace import Pace

_LONGEST_PAUSE: Final = 30.0
_GOODBYE: Final = 5.0  # seconds that closed threads are waited for
_LOOKS_EVERY: Final = 0.2  # seconds


@dataclass
class _Followed:
    """One container: its log, and the thread that reads it (None: it does not run now)."""

    lines: ContainerLines
    log: PodLog
    latest: Container
    read: int = -1  # the restart count of the run that was read to its end
    thread: threading.Thread | None = None
    trouble: str = ""


@dataclass
class _Pod:
    """A pod that was met. `gone`: the cluster does not have it any more; `told`: that was said."""

    name: str
    stream: Stream
    containers: dict[str, _Followed] = field(default_factory=dict)
    gone: bool = False
    told: bool = False
    trouble: str = ""


class PodsFollowed:
    """Follows the chosen pods from `since` on, and those that come, until `stop` is set. See Source.follow."""

    def __init__(
        self,
        name: str,
        cluster: Cluster,
        chosen: Chosen,
        since: int,
        sink: Sink,
        stop: threading.Event,
        *,
        previous: bool = False,
        silence: float = 15.0,
    ) -> None:
        self._name, self._cluster, self._chosen, self._sink, self._stop = name, cluster, chosen, sink, stop
        self._window = Window(since)
        self._previous, self._silence = previous, silence
        self._stream = Stream(SOURCE, name)
        self._pods: dict[str, _Pod] = {}
        self._unsure: dict[str, Change] = {}
        self._lock = threading.Lock()
        self._listed = False
        self._problem = ""
        self._watch = cluster.watch_pods(chosen.pods)
        self._failed: BaseException | None = None

    def run(self) -> None:
        """Blocks until `stop` is set. Raises what the watch raises."""
        watching = threading.Thread(target=self._watch_pods, name=f"watching {self._name}", daemon=True)
        watching.start()
        try:
            while not self._stop.wait(_LOOKS_EVERY):
                if not watching.is_alive():
                    break
        finally:
            self._watch.close()
            threads = [watching]
            with self._lock:
                for followed in [one for pod in self._pods.values() for one in pod.containers.values()]:
                    followed.log.close()
                    threads += [followed.thread] if followed.thread is not None else []
            end = time.monotonic() + _GOODBYE
            for thread in threads:
                thread.join(max(0.0, end - time.monotonic()))
        if self._failed is not None:
            raise self._failed

    # -- the pods

    def _watch_pods(self) -> None:
        try:
            for item in self._watch:
                if self._stop.is_set():
                    return
                if isinstance(item, Change):
                    self._unsure[item.pod.uid] = item
                    self._make_sure()
                elif isinstance(item, Listed):
                    self._make_sure()
                    self._answered()
                else:
                    self._cannot_be_asked(item)
        except BaseException as error:  # noqa: BLE001  `run` raises it
            self._failed = error

    def _make_sure(self) -> None:
        """Whether a pod that was seen is meant may need a question, which may fail: then it is asked again later."""
        for uid, change in [*self._unsure.items()]:
            try:
                meant = uid in self._pods or self._chosen.includes(change.pod)
            except ToolkitError as error:
                self._cannot_be_asked(error)
                return
            del self._unsure[uid]
            if meant:
                self._see(change)

    def _answered(self) -> None:
        self._sink.alive(self._name)
        if self._problem:
            self._say(Kind.AGAIN, self._stream, f"{self._name}: the cluster says again which pods there are")
        self._problem, self._listed = "", True

    def _cannot_be_asked(self, error: ToolkitError) -> None:
        if error.message != self._problem:
            self._problem = error.message
            text = f"{self._name}: pods that come are not seen: {error.message} It is tried again until it works."
            self._say(Kind.PROBLEM, self._stream, text)

    def _see(self, change: Change) -> None:
        pod = change.pod
        with self._lock:
            if self._stop.is_set():
                return
            known = self._pods.get(pod.uid)
            if known is None:
                if change.gone:
                    return
                origin = f"{pod.cluster}/{pod.namespace}/{pod.name}"
                known = self._pods[pod.uid] = _Pod(pod.name, Stream(SOURCE, origin, pod.name))
                if self._listed:
                    self._say(Kind.CAME, known.stream, f"{pod.name} came{f' on {pod.node}' if pod.node else ''}")
            known.gone = known.gone or change.gone
            for container in pod.parts if not change.gone else ():
                self._see_container(known, pod, container)
            self._say_if_gone(pod.uid, known)

    def _see_container(self, known: _Pod, pod: Pod, container: Container) -> None:
        followed = known.containers.get(container.name)
        if followed is None:
            lines = ContainerLines.of(pod, container, self._window)
            if not container.begun:
                self._tell_trouble(known, lines, container)
                return
            log = self._cluster.follow_pod_log(
                pod.namespace,
                pod.name,
                container.name,
                since=lines.since,
                instance=container.restarts,
                patient=True,
                silence=self._silence,
            )
            followed = known.containers[container.name] = _Followed(lines, log, container)
        followed.latest = container
        trouble = followed.lines.trouble(container)
        if trouble and trouble != followed.trouble:
            self._sink.notice(followed.lines.said(Kind.PROBLEM, trouble))
        followed.trouble = trouble
        if followed.thread is None and followed.read < container.restarts:
            self._start(pod.uid, known, followed)

    def _tell_trouble(self, known: _Pod, lines: ContainerLines, container: Container) -> None:
        trouble = lines.trouble(container)
        key = f"{container.name} {trouble}"
        if trouble and known.trouble != key:
            known.trouble = key
            self._sink.notice(lines.said(Kind.PROBLEM, trouble))

    # -- one container

    def _start(self, uid: str, known: _Pod, followed: _Followed) -> None:
        name = f"log of {followed.lines.name}"
        followed.thread = threading.Thread(target=self._read, args=(uid, known, followed), name=name, daemon=True)
        followed.thread.start()

    def _read(self, uid: str, known: _Pod, followed: _Followed) -> None:
        """The thread of one container: until it has ended for good, as far as is known."""
        pace, failures, said = Pace(_LONGEST_PAUSE), 0, ""
        if self._previous and followed.read < 0:
            self._read_previous(followed)
        while not self._stop.is_set():
            try:
                for item in followed.log.batches():
                    failures, said = 0, ""
                    self._deliver(followed.lines, item)
            except ToolkitError as error:
                failures += 1
                if error.message != said:
                    said = error.message
                    self._sink.notice(followed.lines.said(Kind.PROBLEM, f"cannot be followed: {said} It is tried on."))
                self._stop.wait(pace.pause(failures))
                continue
            with self._lock:
                followed.read = followed.log.instance
                if followed.latest.restarts <= followed.read or known.gone or self._stop.is_set():
                    followed.thread = None
                    self._say_if_gone(uid, known)
                    return

    def _read_previous(self, followed: _Followed) -> None:
        """What the container wrote before its last restart, if it was restarted."""
        lines, pod = followed.lines, followed.lines.pod
        if not lines.container.last_reason:
            return
        log = self._cluster.follow_pod_log(
            pod.namespace, pod.name, lines.container.name, follow=False, since=lines.since, previous=True
        )
        try:
            for item in log.batches():
                if self._stop.is_set():
                    return
                self._deliver(lines, item)
        except ToolkitError as error:
            self._sink.notice(lines.said(Kind.GAP, f"has no previous log that can be read: {error.message}"))

    def _deliver(self, lines: ContainerLines, item: Batch | Event) -> None:
        if isinstance(item, Batch):
            found = lines.lines(item)
            if found:
                self._sink.lines(found)
            else:
                self._sink.alive(lines.stream.origin)
        elif item.kind == "alive":
            self._sink.alive(lines.stream.origin)
        else:
            self._sink.notice(lines.notice(item))

    def _say_if_gone(self, uid: str, known: _Pod) -> None:
        """Once the last of its lines is there."""
        if known.gone and not known.told and all(one.thread is None for one in known.containers.values()):
            known.told = True
            self._say(Kind.WENT, known.stream, f"{known.name} went")
            del self._pods[uid]

    def _say(self, kind: Kind, stream: Stream, text: str) -> None:
        self._sink.notice(Notice(time.time_ns(), kind, stream, text))
