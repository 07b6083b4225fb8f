"""What is true of the sandbox's world at a moment, asked of the diagnosis; and what was changed without need."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

from toolkit.checks.diagnosis import asking
from toolkit.checks.diagnosis.cause import Cause
from toolkit.checks.diagnosis.verdict import verdict
from toolkit.drills import ways
from toolkit.drills.drill import Look, Symptom

if TYPE_CHECKING:
    from toolkit.actions.journal import Operation
    from toolkit.checks.finding import Finding
    from toolkit.systems.connections import Connections

# Putting back what was taken away is no damage, and pods are restarted after every rebuild.
_NO_DAMAGE: Final = ("groups.restore", "bucket.restore", "app.restart")

# What a rebuild brings with it: L1 is behind until the pods are restarted, and Redis has the newest groups alone again.
_AFTER_A_REBUILD: Final = ("l1-stale", "group-evicted")


def look(connections: Connections, symptoms: Sequence[Symptom]) -> Look:
    """Ask the diagnosis about each symptom, as `toolkit why` does. Only reads; takes a second or two for each."""
    causes: dict[str, None] = {}
    untold: dict[str, None] = {}
    facts: Mapping[str, object] = {}
    for symptom in symptoms:
        asked = ways.asked(symptom)
        found: dict[str, Finding] = {finding.name: finding for finding in asking.findings(connections, asked)}
        reached = verdict(asked, found)
        causes |= dict.fromkeys(one.cause.name for one in reached.causes)
        untold |= dict.fromkeys(one.cause.name for one in reached.untold)
        facts = found["groups-complete"].facts or facts
    return Look(tuple(causes), tuple(untold), _names(facts.get("index")), _names(facts.get("l3_groups")))


def mended(true: Sequence[Cause], now: Look) -> bool | None:
    """Whether the diagnosis finds those causes gone that the engineer can mend; None where there is none of them."""
    ours = [cause.name for cause in true if ways.mended_here(cause, true)]
    if not ours:
        return None
    return not set(ours) & {*now.causes, *now.untold}


def nothing_mended(true: Sequence[Cause]) -> bool | None:
    """What `mended` is where the world is gone: nobody saw it healthy."""
    return False if any(ways.mended_here(cause, true) for cause in true) else None


def damage(
    true: Sequence[Cause], environment: str, operations: Sequence[Operation], before: Look, now: Look
) -> tuple[str, ...]:
    """What was changed that the case did not need, a line each.

    `operations` are those of the journal since the drill began. What is wrong in the world besides the case, and was
    not before, is damage too, if no change in the journal accounts for it.
    """
    found = list(_unneeded(true, environment, operations))
    if "rebuild-running" in now.causes:
        return tuple(found)  # what is missing is still to come
    accounted = " ".join(found)
    new = [name for name in now.causes if name not in before.causes and name not in {cause.name for cause in true}]
    if any(operation.action == "cache.rebuild" and operation.result == "done" for operation in operations):
        new = [name for name in new if name not in _AFTER_A_REBUILD]
    if new and not found:
        found += [f"the world: the diagnosis now finds {name} too" for name in new]
    for layer, was, is_, actions in (
        ("Redis", before.in_redis, now.in_redis, ("groups.", "cache.")),
        ("the bucket", before.in_bucket, now.in_bucket, ("bucket.",)),
    ):
        gone = [name for name in was or () if is_ is not None and name not in is_]
        if gone and not new and not any(action in accounted for action in actions):
            found.append(f"the world: {layer} does not hold {', '.join(gone)} any more")
    return tuple(found)


def _unneeded(true: Sequence[Cause], environment: str, operations: Sequence[Operation]) -> list[str]:
    needs = {mend.name for cause in true for mend in cause.mends if mend.kind == "action"}
    done: set[str] = set()
    found = []
    for operation in operations:
        what = f"{operation.action}: {operation.title or 'a change'} ({operation.result})"
        if operation.environment != environment:
            if operation.environment.startswith("sandbox"):
                found.append(f"{what}, in {operation.environment}, where nothing was wrong")
        elif operation.action in _NO_DAMAGE:
            continue
        elif operation.action not in needs:
            found.append(f"{what}; the case did not need it")
        elif operation.action in done:
            found.append(f"{what}; once was enough")
        elif operation.result == "done":
            done.add(operation.action)
    return found


def _names(value: object) -> tuple[str, ...] | None:
    return tuple(str(name) for name in value) if isinstance(value, list | tuple) else None
