"""The question where a perturbation is in the cache, and whether it is in the group that somebody looks at."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from toolkit.cache.groups import no_such_group
from toolkit.cache.search import find, matching
from toolkit.cache.search.find import Found
from toolkit.checks import shared
from toolkit.checks.finding import Finding, Status
from toolkit.checks.question import Input, Question
from toolkit.errors import ToolkitError
from toolkit.systems.bucket.names import shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from toolkit.cache.layers import Layers
    from toolkit.progress import Progress
    from toolkit.systems.connections import Connections


def pert_in_cache(connections: Connections, inputs: Mapping[str, str], progress: Progress) -> Finding:
    """Is a perturbation in the cache, and in the group asked about (without one: the app's default)?

    Facts: see `facts_of`.
    """
    read = shared.layers(connections)
    answers = find.find(connections, [inputs["pert"]], None, progress, read=read)
    default = _default(read)
    found = answers.found[0]
    if inputs["group"] and inputs["group"] not in found.groups and not answers.problems:
        raise no_such_group(inputs["group"], found.groups, connections.environment.name)
    return finding(found, inputs["group"], default, answers.problems)


def finding(found: Found, group: str, default: str, problems: Sequence[ToolkitError] = ()) -> Finding:
    """What `found` says about `group`, or else about the `default` group ("": not known)."""
    facts = facts_of(found, group, default, problems)
    status, summary = _said(facts)
    evidence = [f"{match.group}, {match.layer}: {match.frame} has {shown(match.pert)}" for match in found.matches[:8]]
    if len(found.matches) > 8:
        evidence.append(f"8 of {len(found.matches)} shown")
    evidence += [f"near: {shown(near.pert)}: {near.why}" for near in found.near]
    evidence += [
        f"{one.group}, {one.layer}: {one.frame} could not be searched: {one.why}" for one in found.unreadable[:8]
    ]
    return Finding(
        "",
        status,
        summary,
        evidence=tuple(evidence),
        by_hand=(f"toolkit groups find {shlex.quote(shown(found.query))}",),
        facts=facts,
    )


def facts_of(found: Found, group: str, default: str, problems: Sequence[ToolkitError]) -> dict[str, Any]:
    """The facts of `pert-in-cache`.

    `pert` and `concentration` (µM or null) asked for; `group` looked at (null: none is known) and whether it was
    `asked` for; `in_group` (under exactly that name, in either layer); `groups` that have it, and those it is `absent`
    from; `alike` (other names it may mean: by case, space, alias, prefix); `near` (pert, score, why); `at` (in words,
    where it is there at other concentrations only); `group_unread` frames of the group that could not be searched,
    `unread` of all; `layers`: how many could not be read.
    """
    asked = matching.question(found.query, {match.pert for match in found.matches})
    looked_at = group or default
    exact = [match for match in found.matches if match.exact]
    at = {near.pert: near for near in found.near if near.concentration is not None}
    return {
        "pert": shown(asked.name),
        "concentration": asked.concentration,
        "group": looked_at or None,
        "asked": bool(group),
        "in_group": any(match.group == looked_at for match in exact) if looked_at else None,
        "groups": [name for name in found.groups if any(match.group == name for match in exact)],
        "absent": [name for name in found.groups if not any(match.group == name for match in exact)],
        "alike": sorted({shown(match.pert) for match in found.matches if not match.exact}),
        "near": [
            {"pert": shown(one.pert), "score": one.score, "why": one.why}
            for one in found.near
            if one.concentration is None
        ],
        "at": [one.why for one in at.values()],
        "group_unread": sum(one.group == looked_at for one in found.unreadable),
        "unread": len(found.unreadable),
        "layers": len(problems),
    }


def _said(facts: Mapping[str, Any]) -> tuple[Status, str]:
    pert, group, groups = facts["pert"], facts["group"], facts["groups"]
    if facts["concentration"] is not None:
        pert = f"{pert} at {matching.micromolar(facts['concentration'])}"
    also = f"; {facts['unread']} frames could not be searched" if facts["unread"] else ""
    if facts["in_group"]:
        return Status.OK, f"{pert} is in {group}{also}"
    if groups:
        if group is None:
            return Status.OK, f"{pert} is in {', '.join(groups)}; which is the default is not known{also}"
        return Status.FAIL, f"{pert} is not in {group}, but in {', '.join(groups)}{also}"
    if facts["at"]:
        return Status.FAIL, f"{pert}: {facts['at'][0]}{also}"
    if facts["alike"]:
        return Status.FAIL, f"no group has {pert} under that name; there is {', '.join(facts['alike'][:3])}{also}"
    near = f"; the nearest name is {facts['near'][0]['pert']}" if facts["near"] else ""
    return Status.FAIL, f"no group has {pert}{near}{also}"


def _default(read: Layers) -> str:
    """The app's default group; "" where Redis cannot be read or its index is empty."""
    if isinstance(read.l2, ToolkitError) or not read.l2.index:
        return ""
    return shown(read.l2.index[0][0])


QUESTIONS = (
    Question(
        "pert-in-cache",
        "Is a perturbation in the cache, and in the group that is looked at?",
        pert_in_cache,
        (
            Input("pert", "pert", "A gene or compound, also at a concentration: REC-0000123 at 3.", required=True),
            Input("group", "group", "The group; without one the app's default."),
        ),
        limit=60.0,
    ),
)
