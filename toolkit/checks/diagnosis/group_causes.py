"""Judges of causes in the groups and the runs that write them, and in their vectors."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from toolkit.checks.diagnosis.cause import NOT_ASKED, Asked, Judgement, Known, ruled_out, suspected, untold

_WEEK: Final = re.compile(r"(\d{4})w(\d{2})")
_LOADER: Final = "loader-transformation"
_VECTORS = ("vectors-healthy", "default-vectors-healthy")


def redis_flushed(_: Asked, known: Known) -> Judgement:
    groups, running = known.facts("groups-complete"), known.facts("rebuild-running")
    if groups is None or groups["l2_empty"] is None:
        return untold("groups-complete")
    if not groups["l2_empty"]:
        return ruled_out("groups-complete")
    if running is not None and running["running"]:
        return ruled_out("rebuild-running")
    why, because = "Redis holds no group and no frame, and no run is going on.", ["groups-complete"]
    if running is None:
        why = "Redis holds no group and no frame; whether a run is going on is not known."
    else:
        because.append("rebuild-running")
    changes = known.facts("recent-changes")
    flushes = [one for one in changes["changes"] if one["action"] == "groups.flush"] if changes else []
    if flushes:
        why += f" {flushes[0]['who']} flushed it, {flushes[0]['time']}."
        because.append("recent-changes")
    return suspected(0.95 if running is not None else 0.7, why, *because)


def rebuild_running(_: Asked, known: Known) -> Judgement:
    facts = known.facts("rebuild-running")
    if facts is None:
        return untold("rebuild-running")
    if not facts["running"]:
        return ruled_out("rebuild-running")
    groups = known.facts("groups-complete")
    short = groups is not None and lacks_in_redis(groups)
    why = f"{facts['running'][0]} has been writing groups for {facts['minutes']:.0f} min"
    why += "; those that are missing are still to come." if short else "."
    return suspected(0.95 if short else 0.7, why, "rebuild-running", *(("groups-complete",) if short else ()))


def rebuild_failed(_: Asked, known: Known) -> Judgement:
    run, groups = known.facts("last-rebuild"), known.facts("groups-complete")
    if run is None:
        return untold("last-rebuild")
    if run["state"] != "failed":
        return ruled_out("last-rebuild")
    why = f"{run['job']} failed: {run['exception'] or run['pod_reason'] or run['reason'] or 'why is not known'}"
    short = None if groups is None or groups["index"] is None else lacks_in_redis(groups)
    if not run["exception"] and groups is not None and groups["l3_short"]:
        return ruled_out("groups-complete")  # it was stopped while it stored a group: that is half-written-group
    if short:
        return suspected(0.95 if run["exception"] else 0.8, why, "last-rebuild", "groups-complete")
    if run["exception"] or run["pod_reason"] or short is None:
        return suspected(0.8 if short is None else 0.6, why, "last-rebuild")
    return suspected(0.5, why, "last-rebuild")


def half_written(asked: Asked, known: Known) -> Judgement:
    groups, pert = known.facts("groups-complete"), known.facts("pert-in-cache")
    if groups is None or groups["l3_short"] is None:
        return untold("groups-complete")
    short: Mapping[str, int] = groups["l3_short"]
    if short:
        names = ", ".join(f"{name} ({count} of {groups['expected']} frames)" for name, count in short.items())
        run = known.facts("last-rebuild")
        failed = run is not None and run["state"] == "failed"
        running = known.facts("rebuild-running")
        sure = 0.6 if running is not None and running["running"] and asked.group not in short else 0.95
        because = ("groups-complete", *(("last-rebuild",) if failed else ()))
        return suspected(sure, f"The bucket's folder is incomplete: {names}.", *because)
    if pert is not None and pert["group_unread"]:
        why = f"{pert['group_unread']} frames of {pert['group']} cannot be read."
        return suspected(0.7, why, "pert-in-cache")
    return ruled_out("groups-complete")


def group_evicted(asked: Asked, known: Known) -> Judgement:
    if not asked.group:
        return NOT_ASKED
    group, groups = known.facts("group-in-cache"), known.facts("groups-complete")
    if group is None or group["l3_frames"] is None:
        return untold("group-in-cache")
    if not group["known"] or group["rank"] or group["l2_frames"] or group["l3_frames"] < group["expected"]:
        return ruled_out("group-in-cache")
    if groups is None:
        return untold("groups-complete")
    index, usual = groups["index"], groups["usual"]
    if index is not None and len(index) >= usual:
        why = f"It is whole in the bucket; Redis holds only the newest {len(index)}: {', '.join(index)}."
        return suspected(0.95, why, "group-in-cache", "groups-complete")
    # The index is not known, or something emptied Redis: whether the group would be there at all, its age must tell.
    newer = _newer(asked.group, groups["l3_groups"] or ())
    if newer is not None and len(newer) >= usual:
        why = (
            f"By their names {len(newer)} groups in the bucket are newer, and Redis keeps {usual}: {', '.join(newer)}."
        )
        return suspected(0.6, why, "group-in-cache", "groups-complete")
    return untold("redis") if index is None else ruled_out("groups-complete")


def transformation_missing(asked: Asked, known: Known) -> Judgement:
    """No layer has the group, and the auto-loader is not told to make it. What was built cannot be missing so."""
    if not asked.group:
        return NOT_ASKED
    group, made = known.facts("group-in-cache"), known.facts(_LOADER)
    if made is not None and not made["configured"]:
        return NOT_ASKED
    if group is None:
        return untold("group-in-cache")
    if group["known"]:
        return ruled_out("group-in-cache")
    if made is None:
        return untold(_LOADER)
    if made["transformation"] is None or made["in_configome"] or made["near"]:
        return ruled_out(_LOADER)
    built = known.facts("built-since-rebuild")
    if built is not None and built.get("event_time"):
        return ruled_out("built-since-rebuild")
    unread = group["l3_frames"] is None  # it may be there, after all
    why = f"configome's list for the auto-loader lacks {made['transformation']}"
    if made["in_production"]:
        since = made["since"]
        when = f" since {since['commit'][:9]} of {since['at'][:16].replace('T', ' ')}Z" if since else ""
        why += f", which production's trunk has{when}: {made['group']} was never built."
        return suspected(0.6 if unread else 0.95, why, _LOADER, "group-in-cache")
    if made["in_production"] is None:
        return suspected(0.5, f"{why}; production's is not known.", _LOADER, "group-in-cache")
    if unread:
        return untold("group-in-cache")
    return suspected(0.5, f"{why}, and so does production's: nobody asked for it yet.", _LOADER, "group-in-cache")


def l1_stale(asked: Asked, known: Known) -> Judgement:
    facts = known.facts("app-pods")
    if facts is None or not (facts["stale"] or facts["told"]):
        return untold("app-pods")
    if not facts["stale"]:
        return ruled_out("app-pods")
    why = (
        f"{len(facts['stale'])} of {facts['pods']} pods of {facts['deployment']} started before the last rebuild's "
        f"end, {facts['rebuilt']}."
    )
    pert, index = known.facts("pert-in-cache"), (known.facts("groups-complete") or {}).get("index")
    if asked.pert and pert is not None and pert["in_group"] and index and pert["group"] == index[0]:
        why += f" {pert['group']}, the default group since then, has {pert['pert']}."
        return suspected(0.95, why, "app-pods", "pert-in-cache")
    return suspected(0.8 if asked.pert or asked.map else 0.7, why, "app-pods")


def denormalized(_: Asked, known: Known) -> Judgement:
    return _vectors(known, "not_unit", "are not of length 1")


def nan(_: Asked, known: Known) -> Judgement:
    return _vectors(known, "nan", "hold NaN")


def _newer(group: str, groups: Sequence[str]) -> list[str] | None:
    """Those of `groups` that were built in a later week, as names tell it (2026w45); None where it has no week."""
    own = _WEEK.search(group)
    if own is None:
        return None
    weeks = {name: found.groups() for name in groups if (found := _WEEK.search(name))}
    return [name for name, week in weeks.items() if week > own.groups()]


def lacks_in_redis(groups: Mapping[str, Any]) -> bool:
    """Whether Redis holds fewer groups, or frames of them, than usual."""
    return bool(groups["index"] is not None and (len(groups["index"]) < groups["usual"] or groups["l2_short"]))


def _vectors(known: Known, count: str, what: str) -> Judgement:
    answered = [(check, facts) for check in _VECTORS if (facts := known.facts(check)) is not None]
    for check, facts in answered:
        if facts[count]:
            frames = f"{', '.join(facts['frames'])} of {facts['group']}"
            return suspected(0.95, f"{facts[count]:,} of {facts['rows']:,} vectors in {frames} {what}.", check)
    return ruled_out(answered[0][0]) if answered else untold("vectors-healthy")
