"""The judge of a cause that an event tells: the group was built, and no rebuild has come since."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from toolkit.checks.diagnosis.cause import NOT_ASKED, Asked, Judgement, Known, ruled_out, suspected, untold
from toolkit.checks.diagnosis.pert_causes import meant

_BUILT: Final = "built-since-rebuild"


def not_rebuilt(asked: Asked, known: Known) -> Judgement:
    """Of a group: its event came after the last good rebuild began. Of a pert that no group has: some group's did."""
    if not (asked.group or asked.pert):
        return NOT_ASKED
    group, pert, built = known.facts("group-in-cache"), known.facts("pert-in-cache"), known.facts(_BUILT)
    if built is not None and not built["configured"]:
        return NOT_ASKED
    if asked.group and group is None:
        return untold("group-in-cache")
    if group is not None and group["known"]:
        return ruled_out("group-in-cache")
    if not asked.group and pert is None:
        return untold("pert-in-cache")
    if not asked.group and pert is not None and (pert["groups"] or pert["at"] or pert["alike"] or meant(pert)):
        return ruled_out("pert-in-cache")
    if built is None or (built["after"] is None and (built["event_time"] or not asked.group)):
        return untold(_BUILT)
    if not built["after"]:
        return ruled_out(_BUILT)
    rebuilt = f"the last good rebuild {_border(built)}"
    if not asked.group:
        names = ", ".join(one["group"] for one in built["since"])
        why = f"No cached group has {asked.pert}; {names} may: created after {rebuilt}."
        return suspected(0.4, why, _BUILT, "pert-in-cache")
    if built["running_since"] and built["running_since"] > built["event_time"]:
        return ruled_out("rebuild-running")  # the run that is going on has it
    why = f"Kafka has its group-created event of {built['event_time']} (at {built['event_at']}); {rebuilt}."
    return suspected(0.95, why, _BUILT, "group-in-cache")


def _border(built: Mapping[str, Any]) -> str:
    began = built["rebuild_began"]
    return f"began {began}" if began else f"ended {built['rebuild_ended']}"
