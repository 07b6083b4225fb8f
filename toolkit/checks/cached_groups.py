"""Questions about groups in the cache: is one there, and are all there that should be? No frame is opened."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from toolkit.cache import stored
from toolkit.cache.layers import L2, L3, Layers
from toolkit.checks import shared
from toolkit.checks.finding import Finding, Status
from toolkit.checks.question import Input, Question
from toolkit.errors import ToolkitError
from toolkit.systems.bucket.names import shown

if TYPE_CHECKING:
    from toolkit.environments import model
    from toolkit.progress import Progress
    from toolkit.systems.connections import Connections


def group_in_cache(connections: Connections, inputs: Mapping[str, str], progress: Progress) -> Finding:
    """Which layers hold a group?

    Facts: `group`; `known` in any layer; `near` (names like it); `rank` in the index, `l2_frames`, `l3_frames` of
    `expected` (each null where its layer could not be read).
    """
    name = inputs["group"]
    read = shared.layers(connections)
    progress.check_stop()
    known = {shown(raw): raw for raw in stored.group_names(read)}
    raw = known.get(name)
    facts: dict[str, Any] = {
        "group": name,
        "known": raw is not None,
        "near": [] if raw is not None else difflib.get_close_matches(name, list(known), n=3, cutoff=0.5),
        "rank": _rank(read, raw),
        "l2_frames": _frames(read.l2, raw),
        "l3_frames": _frames(read.l3, raw),
        "expected": expected(connections.environment.cache),
    }
    by_hand = (f"toolkit groups show {shown(name)}",)
    unread = [
        f"{stored.LAYERS[layer]} could not be read" for layer in ("L2", "L3") if layer not in stored.searched(read)
    ]
    if raw is None:
        if unread:
            summary = f"{shown(name)} was not found, but {' and '.join(unread)}"
            return Finding("", Status.UNKNOWN, summary, evidence=tuple(_errors(read)), facts=facts)
        near = f"; the nearest name is {facts['near'][0]}" if facts["near"] else ""
        return Finding(
            "", Status.FAIL, f"no layer holds a group called {shown(name)}{near}", by_hand=by_hand, facts=facts
        )
    where = [
        f"rank {facts['rank']} in the index" if facts["rank"] else "not in the index",
        *(
            f"{_count(facts[key], facts['expected'])} in {place}"
            for key, place in (("l2_frames", "Redis"), ("l3_frames", "the bucket"))
        ),
    ]
    if isinstance(read.l2, ToolkitError):
        where[0] = "its rank is not known"
    well = facts["rank"] and facts["l2_frames"] == facts["expected"]
    status = Status.OK if well else Status.UNKNOWN if isinstance(read.l2, ToolkitError) else Status.FAIL
    return Finding(
        "", status, f"{shown(name)}: {', '.join(where)}", evidence=tuple(_errors(read)), by_hand=by_hand, facts=facts
    )


def groups_complete(connections: Connections, _: Mapping[str, str], progress: Progress) -> Finding:
    """Are as many groups in Redis as usual, and is each whole, in both layers?

    Facts: `usual` groups and `expected` frames of each; `index` (names by rank), `l2_empty` (neither an index nor a
    frame), `l2_short` (frames by group, where some are missing): null where Redis could not be read; `l3_groups`,
    `l3_short`: null where the bucket could not be read.
    """
    read = shared.layers(connections)
    progress.check_stop()
    cache = connections.environment.cache
    facts: dict[str, Any] = {"usual": cache.groups_in_redis, "expected": expected(cache)}
    facts |= dict.fromkeys(("index", "l2_empty", "l2_short", "l3_groups", "l3_short"))
    if not isinstance(read.l2, ToolkitError):
        index = [name for name, _ in read.l2.index]
        facts["index"] = [shown(name) for name in index]
        facts["l2_empty"] = not index and not any(read.l2.frames.values())
        facts["l2_short"] = _short(read.l2, {*index, *read.l2.frames}, facts["expected"])
    if not isinstance(read.l3, ToolkitError):
        facts["l3_groups"] = sorted(map(shown, read.l3.frames))
        facts["l3_short"] = _short(read.l3, set(read.l3.frames), facts["expected"])
    problems = _problems(facts)
    evidence = tuple(_errors(read))
    by_hand = ("toolkit groups list",)
    if problems:
        return Finding("", Status.FAIL, "; ".join(problems), evidence=evidence, by_hand=by_hand, facts=facts)
    if evidence:
        return Finding("", Status.UNKNOWN, evidence[0], evidence=evidence, by_hand=by_hand, facts=facts)
    summary = f"{len(facts['index'])} groups in Redis, {len(facts['l3_groups'])} in the bucket, all whole"
    return Finding("", Status.OK, summary, by_hand=by_hand, facts=facts)


def expected(cache: model.Cache) -> int:
    """How many frames a group has."""
    return len(cache.frames) or cache.frames_per_group


def _problems(facts: Mapping[str, Any]) -> list[str]:
    said = []
    if facts["l2_empty"]:
        said.append("Redis holds no group at all")
    elif facts["index"] is not None and len(facts["index"]) < facts["usual"]:
        said.append(f"{len(facts['index'])} of the usual {facts['usual']} groups are in the index")
    for key, place in (("l2_short", "Redis"), ("l3_short", "the bucket")):
        said += [
            f"{group}: {count} of {facts['expected']} frames in {place}" for group, count in (facts[key] or {}).items()
        ]
    return said


def _errors(read: Layers) -> list[str]:
    return [
        f"{stored.LAYERS[name]} could not be read: {layer.message}"
        for name, layer in (("L2", read.l2), ("L3", read.l3))
        if isinstance(layer, ToolkitError)
    ]


def _short(layer: L2 | L3, groups: set[str], expected: int) -> dict[str, int]:
    return {
        shown(group): len(layer.frames.get(group, {}))
        for group in sorted(groups)
        if len(layer.frames.get(group, {})) < expected
    }


def _rank(read: Layers, raw: str | None) -> int | None:
    if isinstance(read.l2, ToolkitError):
        return None
    names = [name for name, _ in read.l2.index]
    return names.index(raw) + 1 if raw in names else None


def _frames(layer: L2 | L3 | ToolkitError, raw: str | None) -> int | None:
    if isinstance(layer, ToolkitError):
        return None
    return len(layer.frames.get(raw, {})) if raw is not None else 0


def _count(frames: int | None, expected: int) -> str:
    return "frames unknown" if frames is None else f"{frames}/{expected} frames"


QUESTIONS = (
    Question(
        "group-in-cache",
        "Which layers hold a group?",
        group_in_cache,
        (Input("group", "group", "The group's name.", required=True),),
        limit=30.0,
    ),
    Question("groups-complete", "Are all groups in the cache that should be, each whole?", groups_complete, limit=30.0),
)
