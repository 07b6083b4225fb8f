"""What needs a human: the findings there are, as a short list, most urgent first, each with the runbook that leads on.

Nothing is asked here. What the diagnosis suspects comes under its cause, with its runbook; what no cause explains comes
as the finding says it; of the hops only the first broken one, as those after it may fail because of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from toolkit.checks.diagnosis.cause import Asked
from toolkit.checks.diagnosis.verdict import Judged, verdict
from toolkit.checks.finding import Finding, Status

_BROKEN: Final = (Status.FAIL, Status.UNKNOWN)
_URGENCY: Final = {Status.FAIL: 0, Status.UNKNOWN: 1, Status.WARN: 2}

_RUNBOOKS: Final[Mapping[str, str]] = {
    "app-pods": "restart-the-app-after-a-rebuild",
    "cache-manager": "reload-the-groups",
    "cache-manager-place": "reload-the-groups",
    "groups": "connect-to-redis",
    "groups-complete": "reload-the-groups",
    "image": "is-it-the-right-image",
    "last-rebuild": "rebuild-failed",
    "proxy-address": "connect-to-redis",
    "rebuild-permissions": "reload-the-groups",
    "rebuild-running": "verify-a-rebuild",
    "redis": "connect-to-redis",
    "redis-token": "connect-to-redis",
    "tcp": "connect-to-redis",
    "vault": "connect-to-redis",
}  # of what no cause explains

_SAME: Final[Mapping[str, str]] = {"cache-manager": "cache-manager-place"}  # a hop, and the check that says more
_UNREMARKABLE: Final = frozenset({"rebuild-running", "recent-changes"})  # a warning of theirs is no work for anybody


@dataclass(frozen=True)
class Item:
    """One thing to look at. `name` tells it from the others; `runbook` is "" where none leads on, `given` what of it is
    known beforehand; `findings` are its evidence."""

    name: str
    status: Status
    text: str
    runbook: str = ""
    findings: tuple[Finding, ...] = ()
    given: Mapping[str, str] = field(default_factory=dict, hash=False)


def items(findings: Mapping[str, Finding], hops: Sequence[str], more: Sequence[Item] = ()) -> list[Item]:
    """What `findings` (by check) come to, and `more`; `hops` are the names of those that are hops, in their order."""
    found: list[Item] = []
    explained: set[str] = set()
    for judged in verdict(Asked(), findings).causes:
        explained.update(judged.judgement.checks)
        item = _of_cause(judged, findings)
        if item is not None:
            found.append(item)
    broken = [name for name in hops if name in findings and findings[name].status in _BROKEN]
    for name, finding in findings.items():
        covered = name in explained or _SAME.get(name) in explained
        if covered or finding.status not in _URGENCY or name in _UNREMARKABLE:
            continue
        if name in hops:
            if finding.status in _BROKEN and name != broken[0]:
                continue
            if name in _SAME and findings.get(_SAME[name], finding).status in _URGENCY and _SAME[name] in findings:
                continue
        elif finding.status is Status.UNKNOWN and broken:
            continue  # it could not be answered, for the broken hop's sake
        found.append(_of_finding(finding, len(broken) - 1 if name in broken else 0))
    found += more
    return sorted(found, key=lambda item: _URGENCY.get(item.status, 3))


def _of_cause(judged: Judged, findings: Mapping[str, Finding]) -> Item | None:
    cause, because = judged.cause, [findings[name] for name in judged.judgement.checks if name in findings]
    facts = {name: finding.facts for name, finding in findings.items()}
    status = min((one.status for one in because if one.status in _URGENCY), key=_URGENCY.__getitem__, default=None)
    if cause.name == "rebuild-running":
        return _overdue(findings)
    said = _WORDS.get(cause.name)
    runbook = next((mend.name for mend in cause.mends if mend.kind == "runbook"), "")
    text = said(facts) if said is not None else cause.title
    return Item(cause.name, status or Status.WARN, text, runbook, tuple(because))


def _overdue(findings: Mapping[str, Finding]) -> Item | None:
    """A run that is going on is nobody's work, unless it has been for too long."""
    running = findings["rebuild-running"]
    if not running.facts.get("overdue"):
        return None
    return Item("rebuild-running", Status.WARN, running.summary, _RUNBOOKS["rebuild-running"], (running,))


def _of_finding(finding: Finding, after: int) -> Item:
    text = f"{finding.name}: {finding.summary}"
    if finding.facts.get("suspended"):
        text = "Suspended: the cache manager starts no run by itself"
    if after:
        text = f"{finding.name} (and {after} more hop{'s' * (after > 1)} after it): {finding.summary}"
    return Item(finding.name, finding.status, text, _RUNBOOKS.get(finding.name, ""), (finding,))


_Facts = Mapping[str, Mapping[str, Any]]


def _failed(facts: _Facts) -> str:
    run = facts["last-rebuild"]
    return f"The last rebuild failed: {run['exception'] or run['pod_reason'] or run['reason'] or 'see its log'}"


def _half(facts: _Facts) -> str:
    groups = facts["groups-complete"]
    short = list((groups["l3_short"] or {}).items())
    if not short:
        return "A group's folder in the bucket is incomplete"
    name, count = short[0]
    more = f", and {len(short) - 1} more" if len(short) > 1 else ""
    return f"Half written: {count} of {groups['expected']} frames in the bucket of {name}{more}"


def _stale(facts: _Facts) -> str:
    pods = facts["app-pods"]
    return f"L1 stale: {len(pods['stale'])} of {pods['pods']} pods serve the old group"


def _elsewhere(facts: _Facts) -> str:
    place = facts["cache-manager-place"]
    return f"The CronJob is in {place['found']['cluster']}, not in {place['configured']['cluster']} as configured"


def _drift(facts: _Facts) -> str:
    def tags(images: Sequence[str]) -> str:
        return ", ".join(image.rpartition(":")[2] or image for image in images)

    image = facts["image"]
    return f"Image {tags(image['running'])} runs, trunk asks for {tags(image['wanted'])}"


def _moved(facts: _Facts) -> str:
    address = facts["proxy-address"]
    return f"The Redis proxy is at {address['actual']}, not at {address['configured']}"


_WORDS: Final[Mapping[str, Callable[[_Facts], str]]] = {
    "redis-flushed": lambda _: "L2 is empty: the app has no group to offer",
    "rebuild-failed": _failed,
    "half-written-group": _half,
    "l1-stale": _stale,
    "wrong-cluster": _elsewhere,
    "image-drift": _drift,
    "proxy-moved": _moved,
}
