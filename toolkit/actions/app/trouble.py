"""What keeps a new pod from getting ready, with the last that it, or its node, said of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from toolkit.actions.rebuild.failure import last_words
from toolkit.errors import ToolkitError
from toolkit.systems.bucket.names import shown
from toolkit.systems.cluster import Cluster
from toolkit.systems.cluster.objects import Pod

_BEGINNING: Final = frozenset({"", "ContainerCreating", "PodInitializing"})
_TAIL: Final = 50
_LONGEST: Final = 300
_SURELY_CRASHING: Final = 3  # restarts of a pod that has only just been made


@dataclass(frozen=True, slots=True)
class Trouble:
    """`reason` is Kubernetes' word (ImagePullBackOff, CrashLoopBackOff, Unschedulable …), or "not ready"; `words` is
    the event or log line that says most. `sure`: waiting longer will not mend it."""

    pod: str
    reason: str
    words: str
    sure: bool

    @property
    def text(self) -> str:
        return f"Pod {self.pod}: {self.reason}" + (f": {self.words}" if self.words else "")


def stands_out(pod: Pod) -> bool:
    """Whether the pod itself says that something is wrong; one that only starts slowly says nothing."""
    return pod.restarts > 0 or pod.reason not in _BEGINNING


def trouble_of(cluster: Cluster, pod: Pod) -> Trouble:
    """Ask for the pod's log and events. What cannot be asked is left out."""
    crashed = pod.restarts > 0 or pod.reason == "CrashLoopBackOff"
    container = pod.container()
    began = container is not None and container.begun
    said = _log_line(cluster, pod) if began else ""
    warned = _event(cluster, pod)
    if crashed:
        reason, words = pod.reason or "restarted", said or warned
    elif stands_out(pod):
        reason, words = pod.reason, pod.message or warned
    else:
        reason, words = (
            "not ready",
            "; ".join(part for part in (warned, f"its last line: {said}" if said else "") if part),
        )
    return Trouble(shown(pod.name), shown(reason), shown(words), crashed and pod.restarts >= _SURELY_CRASHING)


def _log_line(cluster: Cluster, pod: Pod) -> str:
    container = pod.containers[0] if len(pod.containers) > 1 else ""
    for previous in (False, True):
        if previous and not pod.restarts:
            break
        log = cluster.follow_pod_log(pod.namespace, pod.name, container, follow=False, tail=_TAIL, previous=previous)
        try:
            words = last_words([line.text for line in log])
        except ToolkitError:
            continue
        if words:
            return words
    return ""


def _event(cluster: Cluster, pod: Pod) -> str:
    try:
        found = cluster.warnings_about(pod)
    except ToolkitError:
        return ""
    return f"{found[0].reason}: {found[0].message}"[:_LONGEST] if found else ""
