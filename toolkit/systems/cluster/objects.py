"""What the toolkit knows of a cluster's objects: frozen values read from the API's JSON, missing fields forgiven."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

Object = Mapping[str, Any]

MANUAL: Final = "cronjob.kubernetes.io/instantiate"
RESTARTED: Final = "kubectl.kubernetes.io/restartedAt"
_QUANTITY: Final = re.compile(r"([0-9]+(?:\.[0-9]*)?(?:[eE][+-]?[0-9]+)?)(Ki|Mi|Gi|Ti|Pi|m|k|M|G|T|P|)")
_UNITS: Final = {"": 1, "m": 1e-3, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "P": 1e15} | {
    f"{letter}i": 1024.0**power for power, letter in enumerate("KMGTP", 1)
}
_STATES: Final = {"Running": "running", "Succeeded": "terminated", "Failed": "terminated"}  # by the pod's phase


@dataclass(frozen=True, slots=True)
class ClusterIdentity:
    """Which cluster this is: `uid` is its kube-system's; `known_since`: when the toolkit first met it."""

    name: str
    context: str
    address: str
    uid: str
    version: str
    known_since: datetime | None = None


@dataclass(frozen=True)
class CronJob:
    """A CronJob. `time_zone` is "" where its spec names none; `active` are the names of the scheduled runs under way
    (runs by hand are never among them); `template` is its jobTemplate as it stands."""

    cluster: str
    namespace: str
    name: str
    uid: str
    created: datetime | None
    schedule: str
    time_zone: str
    suspended: bool
    concurrency_policy: str
    images: tuple[str, ...]
    active: tuple[str, ...]
    last_scheduled: datetime | None
    last_successful: datetime | None
    keeps_successful: int
    keeps_failed: int
    template: Object

    @property
    def template_digest(self) -> str:
        """12 hex digits over the job template: another template is another job."""
        text = json.dumps(self.template, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()[:12]


@dataclass(frozen=True, slots=True)
class Job:
    """A Job. `state` is pending (no pod has run yet), running, complete or failed; `reason` and `message` say why it
    failed; `manual` that somebody started it by hand; `failures` how many of its pods failed."""

    cluster: str
    namespace: str
    name: str
    uid: str
    owner_uid: str
    created: datetime | None
    started: datetime | None
    finished: datetime | None
    state: str
    reason: str
    message: str
    manual: bool
    image: str
    failures: int

    @property
    def over(self) -> bool:
        return self.state in ("complete", "failed")

    @property
    def seconds(self) -> float | None:
        """How long it ran, from its start to its end; None while it runs, or where a time is missing."""
        if self.started is None or self.finished is None:
            return None
        return (self.finished - self.started).total_seconds()


@dataclass(frozen=True, slots=True)
class Container:
    """One container of a pod. `state` is waiting, running, terminated, or "" where the node has not said it yet;
    `reason` and `message` say what it waits for or ended with, `last_reason` why its run before this one ended.
    `restarts` is how often it was restarted; `image_id` is what its node really ran, with the digest, once it did.
    `running_since` is when the run of now began; `memory_request` and `memory_limit` are in bytes, None where it has
    none."""

    name: str
    init: bool
    state: str
    restarts: int
    reason: str
    message: str
    last_reason: str
    image: str = ""
    image_id: str = ""
    running_since: datetime | None = None
    memory_request: int | None = None
    memory_limit: int | None = None

    @property
    def digest(self) -> str:
        """The digest under which its image was pulled; "" where the node has not said one."""
        _, at, digest = self.image_id.rpartition("@")
        return digest if at else ""

    @property
    def begun(self) -> bool:
        """Whether it has run, so that there is a log."""
        return self.state in ("running", "terminated") or self.restarts > 0 or bool(self.last_reason)

    @property
    def stopped(self) -> bool:
        """Whether it has run and does not run now."""
        return self.begun and self.state in ("waiting", "terminated")


@dataclass(frozen=True, slots=True)
class Pod:
    """A pod. `reason` and `message` say what its containers wait for or ended with (ImagePullBackOff, OOMKilled …);
    `ready` counts the containers that are. `parts` are all its containers, init containers first; `owner` is the name
    of the Job or ReplicaSet that made it; `restarted_at` is what `kubectl rollout restart` wrote on its template."""

    cluster: str
    namespace: str
    name: str
    uid: str
    created: datetime | None
    started: datetime | None
    phase: str
    containers: tuple[str, ...]
    images: tuple[str, ...]
    ready: int
    restarts: int
    node: str
    reason: str
    message: str
    exit_code: int | None
    terminating: bool
    owner: str = ""
    parts: tuple[Container, ...] = ()
    restarted_at: str = ""

    @property
    def over(self) -> bool:
        return self.phase in ("Succeeded", "Failed")

    def container(self, name: str = "") -> Container | None:
        """The container of that name; "": the first that is no init container."""
        return next((one for one in self.parts if one.name == name or (not name and not one.init)), None)


@dataclass(frozen=True, slots=True)
class Ingress:
    """An Ingress; `hosts` are those of its rules."""

    cluster: str
    namespace: str
    name: str
    annotations: Mapping[str, str]
    hosts: tuple[str, ...]


def read_cronjob(cluster: str, found: Object) -> CronJob:
    metadata, spec, status = _parts(found)
    template = spec.get("jobTemplate") or {}
    return CronJob(
        cluster=cluster,
        namespace=str(metadata.get("namespace", "")),
        name=str(metadata.get("name", "")),
        uid=str(metadata.get("uid", "")),
        created=time(metadata.get("creationTimestamp")),
        schedule=str(spec.get("schedule", "")),
        time_zone=str(spec.get("timeZone") or ""),
        suspended=bool(spec.get("suspend")),
        concurrency_policy=str(spec.get("concurrencyPolicy") or "Allow"),
        images=_images((template.get("spec") or {}).get("template") or {}),
        active=tuple(str(one.get("name", "")) for one in status.get("active") or ()),
        last_scheduled=time(status.get("lastScheduleTime")),
        last_successful=time(status.get("lastSuccessfulTime")),
        keeps_successful=int(spec.get("successfulJobsHistoryLimit", 3)),
        keeps_failed=int(spec.get("failedJobsHistoryLimit", 1)),
        template=template,
    )


def bucket_of(cronjob: Object) -> str:
    """The bucket that a variable of its containers names: one called …BUCKET…, or with a value gs://…; "": none."""
    template = cronjob["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    for container in template.get("containers") or ():
        for variable in container.get("env") or ():
            value = str(variable.get("value") or "")
            if value.startswith("gs://") or (value and "BUCKET" in str(variable.get("name")).upper()):
                return value.removeprefix("gs://").partition("/")[0]
    return ""


def read_job(cluster: str, found: Object) -> Job:
    metadata, spec, status = _parts(found)
    conditions = {one.get("type"): one for one in status.get("conditions") or () if one.get("status") == "True"}
    end = conditions.get("Failed") or conditions.get("Complete") or {}
    begun = status.get("active") or status.get("succeeded") or status.get("failed") or status.get("ready")
    if "Failed" in conditions:
        state = "failed"
    elif "Complete" in conditions:
        state = "complete"
    else:
        state = "running" if begun and not spec.get("suspend") else "pending"
    images = _images(spec.get("template") or {})
    return Job(
        cluster=cluster,
        namespace=str(metadata.get("namespace", "")),
        name=str(metadata.get("name", "")),
        uid=str(metadata.get("uid", "")),
        owner_uid=next((str(one.get("uid")) for one in _owners(metadata) if one.get("controller")), ""),
        created=time(metadata.get("creationTimestamp")),
        started=time(status.get("startTime")),
        finished=time(status.get("completionTime") or end.get("lastTransitionTime")) if end else None,
        state=state,
        reason=str(end.get("reason") or "") if state == "failed" else "",
        message=str(end.get("message") or "") if state == "failed" else "",
        manual=(metadata.get("annotations") or {}).get(MANUAL) == "manual",
        image=images[0] if images else "",
        failures=int(status.get("failed") or 0),
    )


def read_pod(cluster: str, found: Object) -> Pod:
    metadata, spec, status = _parts(found)
    statuses = status.get("containerStatuses") or ()
    reason, message, code = str(status.get("reason") or ""), str(status.get("message") or ""), None
    for one in status.get("conditions") or ():
        if one.get("type") == "PodScheduled" and one.get("status") == "False":  # no node has room for it
            reason, message = str(one.get("reason") or reason), str(one.get("message") or message)
    for one in statuses:
        state = one.get("state") or {}
        waiting = state.get("waiting") or state.get("terminated") or {}
        reason, message = str(waiting.get("reason") or reason), str(waiting.get("message") or message)
        code = waiting.get("exitCode", code)
    return Pod(
        cluster=cluster,
        namespace=str(metadata.get("namespace", "")),
        name=str(metadata.get("name", "")),
        uid=str(metadata.get("uid", "")),
        created=time(metadata.get("creationTimestamp")),
        started=time(status.get("startTime")),
        phase=str(status.get("phase") or "Unknown"),
        containers=tuple(str(one.get("name", "")) for one in spec.get("containers") or ()),
        images=_images({"spec": spec}),
        ready=sum(bool(one.get("ready")) for one in statuses),
        restarts=sum(int(one.get("restartCount") or 0) for one in statuses),
        node=str(spec.get("nodeName") or ""),
        reason=reason,
        message=message,
        exit_code=code if isinstance(code, int) else None,
        terminating="deletionTimestamp" in metadata,
        owner=next((str(one.get("name")) for one in _owners(metadata) if one.get("controller")), ""),
        parts=(*_read_containers("initContainer", spec, status), *_read_containers("container", spec, status)),
        restarted_at=str((metadata.get("annotations") or {}).get(RESTARTED) or ""),
    )


def _read_containers(kind: str, spec: Object, status: Object) -> Iterator[Container]:
    by_name = {one.get("name"): one for one in status.get(f"{kind}Statuses") or ()}
    for one in spec.get(f"{kind}s") or ():
        name = str(one.get("name", ""))
        found = by_name.get(name) or {}
        states: Object = found.get("state") or {}
        state, details = next(iter(states.items()), (_STATES.get(str(status.get("phase")), ""), None))
        ended = (found.get("lastState") or {}).get("terminated") or {}
        yield Container(
            name=name,
            init=kind == "initContainer",
            state=str(state),
            restarts=int(found.get("restartCount") or 0),
            reason=str((details or {}).get("reason") or ""),
            message=str((details or {}).get("message") or ""),
            last_reason=str(ended.get("reason") or ("Ended" if ended else "")),
            image=str(one.get("image", "")),
            image_id=str(found.get("imageID") or ""),
            running_since=time((details or {}).get("startedAt")) if state == "running" else None,
            memory_request=quantity(_memory(one, "requests")),
            memory_limit=quantity(_memory(one, "limits")),
        )


def read_ingress(cluster: str, found: Object) -> Ingress:
    metadata, spec, _ = _parts(found)
    return Ingress(
        cluster=cluster,
        namespace=str(metadata.get("namespace", "")),
        name=str(metadata.get("name", "")),
        annotations={str(key): str(value) for key, value in (metadata.get("annotations") or {}).items()},
        hosts=tuple(str(rule["host"]) for rule in spec.get("rules") or () if rule.get("host")),
    )


def selector(given: Object) -> str:
    """A LabelSelector as `kubectl -l` writes it."""
    parts = [f"{key}={value}" for key, value in (given.get("matchLabels") or {}).items()]
    for one in given.get("matchExpressions") or ():
        key, how, values = one.get("key"), one.get("operator"), ",".join(one.get("values") or ())
        written = {"In": f"{key} in ({values})", "NotIn": f"{key} notin ({values})", "Exists": key}
        parts.append(str(written.get(how, f"!{key}")))
    return ",".join(parts)


def time(text: object) -> datetime | None:
    """An API timestamp; None where there is none, or none that can be read."""
    try:
        return datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None


def quantity(text: object) -> int | None:
    """A Kubernetes quantity (`512Mi`, `1.5G`, `1e9`, `128974848000m`) as a number; None for none, or for nonsense."""
    match = _QUANTITY.fullmatch(str(text)) if text is not None else None
    if match is None:
        return None
    number, unit = match.groups()
    return round(float(number) * _UNITS[unit])


def _memory(container: Object, which: str) -> object:
    return ((container.get("resources") or {}).get(which) or {}).get("memory")


def _parts(found: Object) -> tuple[Object, Object, Object]:
    return found.get("metadata") or {}, found.get("spec") or {}, found.get("status") or {}


def _owners(metadata: Object) -> Iterable[Object]:
    return metadata.get("ownerReferences") or ()


def _images(template: Object) -> tuple[str, ...]:
    containers = (template.get("spec") or {}).get("containers") or ()
    return tuple(str(one.get("image", "")) for one in containers)
