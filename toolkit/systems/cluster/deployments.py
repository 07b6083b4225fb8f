"""Deployments: what the toolkit knows of one and of its rollout, and the patch that `kubectl rollout restart` sends."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from toolkit.systems.cluster.objects import RESTARTED, Object, selector, time

_SHARE: Final = "25%"  # of both, where the Deployment says nothing
_DEADLINE_SECONDS: Final = 600


@dataclass(frozen=True, slots=True)
class Deployment:
    """A Deployment; `selector` finds its pods.

    `wanted`, `replicas` (of now), `ready`, `updated` (of the newest template) and `available` count pods. While they
    are replaced, at most `surge` more than wanted exist, and at most `unavailable` of those wanted do not serve.
    `observed` is the generation that its controller has seen; `progress` and `progress_message` are its
    condition Progressing's.
    """

    cluster: str
    namespace: str
    name: str
    uid: str
    selector: str
    wanted: int
    ready: int
    updated: int
    images: tuple[str, ...]
    replicas: int = 0
    available: int = 0
    generation: int = 0
    observed: int = 0
    strategy: str = "RollingUpdate"
    surge: int = 0
    unavailable: int = 0
    paused: bool = False
    deadline_seconds: int = _DEADLINE_SECONDS
    progress: str = ""
    progress_message: str = ""
    probed: bool = False
    restarted_at: str = ""

    @property
    def serving(self) -> int:
        """How many pods serve at the least while all of them are replaced."""
        return max(self.wanted - self.unavailable, 0)

    @property
    def seen(self) -> bool:
        """Whether its controller has seen the newest template."""
        return self.observed >= self.generation

    @property
    def rolled_out(self) -> bool:
        """Whether all its pods are of the newest template and serve, as `kubectl rollout status` tells it."""
        return self.seen and self.updated >= self.wanted and self.replicas <= self.updated <= self.available


@dataclass(frozen=True, slots=True)
class DisruptionBudget:
    """A PodDisruptionBudget: `rule` is what it asks for, `selector` which pods it guards."""

    name: str
    selector: str
    rule: str


def restart_patch(stamp: str) -> dict[str, Any]:
    """What `kubectl rollout restart` sends (strategic merge): a new annotation on the template brings new pods."""
    return {"spec": {"template": {"metadata": {"annotations": {RESTARTED: stamp}}}}}


def read_deployment(cluster: str, found: Object) -> Deployment:
    metadata, spec, status = found.get("metadata") or {}, found.get("spec") or {}, found.get("status") or {}
    template = spec.get("template") or {}
    containers = (template.get("spec") or {}).get("containers") or ()
    wanted, strategy = int(spec.get("replicas", 1)), spec.get("strategy") or {}
    kind = str(strategy.get("type") or "RollingUpdate")
    surge, unavailable = _limits(kind, strategy.get("rollingUpdate") or {}, wanted)
    conditions = {one.get("type"): one for one in status.get("conditions") or ()}
    progress = conditions.get("Progressing") or {}
    return Deployment(
        cluster=cluster,
        namespace=str(metadata.get("namespace", "")),
        name=str(metadata.get("name", "")),
        uid=str(metadata.get("uid", "")),
        selector=selector(spec.get("selector") or {}),
        wanted=wanted,
        ready=int(status.get("readyReplicas") or 0),
        updated=int(status.get("updatedReplicas") or 0),
        images=tuple(str(one.get("image", "")) for one in containers),
        replicas=int(status.get("replicas") or 0),
        available=int(status.get("availableReplicas") or 0),
        generation=int(metadata.get("generation") or 0),
        observed=int(status.get("observedGeneration") or 0),
        strategy=kind,
        surge=surge,
        unavailable=unavailable,
        paused=bool(spec.get("paused")),
        deadline_seconds=int(spec.get("progressDeadlineSeconds") or _DEADLINE_SECONDS),
        progress=str(progress.get("reason") or ""),
        progress_message=str(progress.get("message") or ""),
        probed=bool(containers) and all(one.get("readinessProbe") for one in containers),
        restarted_at=str(((template.get("metadata") or {}).get("annotations") or {}).get(RESTARTED) or ""),
    )


def read_budget(found: Object) -> DisruptionBudget:
    spec = found.get("spec") or {}
    rules = [f"{key} {spec[key]}" for key in ("minAvailable", "maxUnavailable") if spec.get(key) is not None]
    name = str((found.get("metadata") or {}).get("name", ""))
    return DisruptionBudget(name, selector(spec.get("selector") or {}), ", ".join(rules) or "no rule")


@dataclass(frozen=True, slots=True)
class Warned:
    """A warning event about one object: `reason` (BackOff, Unhealthy …), `message`, and when it last came."""

    reason: str
    message: str
    last: datetime | None


def read_warning(found: Object) -> Warned:
    last = time(found.get("lastTimestamp")) or time(found.get("eventTime")) or time(found.get("firstTimestamp"))
    return Warned(str(found.get("reason") or ""), str(found.get("message") or ""), last)


def _limits(kind: str, rolling: Object, wanted: int) -> tuple[int, int]:
    """Surge and unavailability in pods. As Kubernetes does it: surge is rounded up, unavailability down, and where both
    come to nothing one pod may be unavailable."""
    if kind == "Recreate":
        return 0, wanted
    surge = _share(rolling.get("maxSurge", _SHARE), wanted, math.ceil)
    unavailable = _share(rolling.get("maxUnavailable", _SHARE), wanted, math.floor)
    return surge, unavailable if surge or unavailable else 1


def _share(value: object, wanted: int, whole: Callable[[float], int]) -> int:
    text = str(value)
    try:
        return whole(int(text[:-1]) * wanted / 100) if text.endswith("%") else int(text)
    except ValueError:
        return 0
