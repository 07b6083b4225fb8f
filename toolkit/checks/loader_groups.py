"""Questions about what the group auto-loader makes: are the newest release's groups there, in the dropdown's order; and
is a group that somebody misses one that it makes at all?"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from toolkit.cache import stored
from toolkit.cache.loader import releases, sides
from toolkit.cache.loader.releases import Release
from toolkit.cache.loader.settings import LoaderSettings, Transformation
from toolkit.cache.loader.sides import Sides
from toolkit.checks import loader, shared
from toolkit.checks.finding import Finding, Status
from toolkit.checks.question import Input, Question
from toolkit.errors import ToolkitError
from toolkit.figures import rfc3339, when
from toolkit.systems.bucket.names import shown

if TYPE_CHECKING:
    from toolkit.cache.layers import Layers
    from toolkit.progress import Progress
    from toolkit.systems.connections import Connections

_ALIKE: Final = 0.8  # so alike, a transformation's name is taken for a slip of the one that is known


def groups(connections: Connections, _: Mapping[str, str], progress: Progress) -> Finding:
    """Are the newest release's groups there that configome's transformations make, in the dropdown's order?

    Facts: `configured`; `release` (null: no group's name fits); `expected` and `dropdown` (the first of them, as many
    as Redis keeps), the first of the dropdown first; `index` (null: Redis could not be read); `missing` (in no layer),
    `not_in_redis` (in the bucket alone), `extra` (made by no transformation), `order` (as the index has them, where
    that is wrong).
    """
    found = loader.look(connections)
    if (skipped := loader.unset(found)) is not None:
        return skipped
    settings = found.configome.known
    read = shared.layers(connections)
    progress.check_stop()
    return groups_finding(settings, read, connections)


def groups_finding(settings: LoaderSettings, read: Layers, connections: Connections) -> Finding:
    """What the groups in both layers come to."""
    environment = connections.environment
    index = None if isinstance(read.l2, ToolkitError) else [name for name, _ in read.l2.index]
    bucket = None if isinstance(read.l3, ToolkitError) else sorted(read.l3.frames)
    release = releases.newest(settings, index or (), bucket, environment.cache.groups_in_redis)
    facts: dict[str, Any] = {"configured": True, "release": release.name if release else None}
    facts |= {key: [] for key in ("expected", "dropdown", "missing", "not_in_redis", "extra", "order")}
    facts["index"] = None if index is None else [*map(shown, index)]
    unread = tuple(_unread(read))
    by_hand = ("toolkit groups list", "toolkit loader check")
    if release is None:
        wanted = ", ".join(one.suffix for one in settings.transformations)
        text = f"no group's name ends with a transformation of configome's list ({shown(wanted)})"
        status = Status.UNKNOWN if unread or not (index or bucket) else Status.FAIL
        hint = unread[0] if unread else f"Is it another copy's configome? Ask {environment.loader.owners}."
        return Finding("", status, text, hint, evidence=unread, by_hand=by_hand, facts=facts)
    not_in_redis = [one for one in release.dropdown if index is not None and one not in (*index, *release.missing)]
    for key in ("expected", "dropdown", "missing", "extra", "order"):
        facts[key] = [*map(shown, getattr(release, key))]
    facts["not_in_redis"] = not_in_redis
    said = _said(release)
    alone = f"; in the bucket, not in Redis: {shown(', '.join(not_in_redis))}" if not_in_redis else ""
    evidence = (f"dropdown as it should begin: {shown(', '.join(release.dropdown))}", *unread)
    if unread:
        text = "; ".join([*(f"perhaps: {one}" for one in said), *unread])
        return Finding("", Status.UNKNOWN, text, evidence=evidence, by_hand=by_hand, facts=facts)
    if not said:
        made = len(release.expected)
        text = f"release {shown(release.name)} has its {made} group{'s' * (made != 1)}, in the dropdown's order{alone}"
        return Finding("", Status.OK, text, evidence=evidence, by_hand=by_hand, facts=facts)
    status = Status.FAIL if release.missing or release.order else Status.WARN
    hint = f"Ask {environment.loader.owners}: did the auto-loader run for this release with this list?"
    return Finding("", status, "; ".join(said) + alone, hint, evidence=evidence, by_hand=by_hand, facts=facts)


def transformation(connections: Connections, inputs: Mapping[str, str], _: Progress) -> Finding:
    """Does the auto-loader run the transformation that makes a group of that name?

    Facts: `configured`; `group`, `release`, `transformation` (null: the name tells none); `in_configome`,
    `in_production` (null: not known); `near` (the listed one that the name may be a slip of, else ""); `since`
    (null: not known): `commit`, `at`, `author`, `subject` with which trunk asked for it.
    """
    found = loader.look(connections)
    if (skipped := loader.unset(found)) is not None:
        return skipped
    return transformation_finding(found, inputs["group"], connections)


def transformation_finding(found: Sides, group: str, connections: Connections) -> Finding:
    """Raises ToolkitError where configome could not be read."""
    own, trunk = found.configome.known, found.production.settings
    facts: dict[str, Any] = {"configured": True, "group": group}
    facts |= dict.fromkeys(("release", "transformation", "in_configome", "in_production", "since"))
    facts["near"] = ""
    lists = [own, *([trunk] if trunk is not None else [])]
    made_by = max((one for each in lists if (one := each.of(group))), key=lambda one: len(one.suffix), default=None)
    by_hand = ("toolkit loader check",)
    evidence = [f"configome: {loader.place(found.configome)}", f"production: {loader.place(found.production)}"]
    if found.production.problem is not None:
        evidence.append(f"production's list is not known: {found.production.problem.message}")
    if made_by is None:
        made_by = _unlisted(group, lists, connections)
        if made_by is None:
            text = f"the name {shown(group)} tells no transformation"
            return Finding("", Status.OK, text, evidence=tuple(evidence), by_hand=by_hand, facts=facts)
        listed = [name for each in lists for name in each.names]
        near = difflib.get_close_matches(made_by.name, listed, 1, _ALIKE) or [
            name for name in listed if name.startswith(made_by.name) or made_by.name.startswith(name)
        ]
        facts["near"] = near[0] if near else ""
    facts |= {
        "release": group.removesuffix(made_by.suffix),
        "transformation": made_by.name,
        "in_configome": _lists(own, made_by),
        "in_production": None if trunk is None else _lists(trunk, made_by),
    }
    name = shown(made_by.name)
    if facts["in_configome"]:
        text = f"configome lists {name}, which makes {shown(group)}"
        return Finding("", Status.OK, text, evidence=tuple(evidence), by_hand=by_hand, facts=facts)
    text = f"configome does not list {name}, which would make {shown(group)}"
    if facts["in_production"]:
        change = sides.since(connections, made_by.suffix)
        text += "; production does"
        if change is not None:
            at = rfc3339(change.committed_at)
            facts["since"] = {"commit": change.commit, "at": at, "author": change.author, "subject": change.subject}
            text += f" since {change.commit[:9]} of {when(change.committed_at)}"
            evidence.append(shown(f"trunk: {change.commit[:9]}, {change.author}: {change.subject}"))
    elif facts["in_production"] is False:
        text += "; nor does production"
    hint = f"Tell {connections.environment.loader.owners}: a group of it can only be built once configome lists it."
    return Finding("", Status.FAIL, text, hint, evidence=tuple(evidence), by_hand=by_hand, facts=facts)


def _lists(settings: LoaderSettings, wanted: Transformation) -> bool:
    return any(one.suffix == wanted.suffix for one in settings.transformations)


def _unlisted(group: str, lists: Sequence[LoaderSettings], connections: Connections) -> Transformation | None:
    """What follows the newest release's name: a transformation that nobody lists. What was listed when an older release
    was built, nobody can tell from the lists of today."""
    read = shared.layers(connections)
    index = [] if isinstance(read.l2, ToolkitError) else [name for name, _ in read.l2.index]
    known = [*index, *sorted(set(stored.group_names(read)) - set(index), reverse=True)]
    release = max((releases.release_of(each, known) for each in lists), default="")
    suffix = group.removeprefix(release)
    if release and group.startswith(f"{release}_") and suffix.strip("_"):
        return Transformation(suffix.lstrip("_"), suffix)
    return None


def _said(release: Release) -> list[str]:
    said = []
    if release.missing:
        said.append(f"in no layer: {shown(', '.join(release.missing))}")
    if release.order:
        said.append(f"the dropdown has another order: {shown(', '.join(release.order))}")
    if release.extra:
        said.append(f"made by no transformation of the list: {shown(', '.join(release.extra))}")
    return said


def _unread(read: Layers) -> list[str]:
    layers = (("Redis", read.l2), ("the bucket", read.l3))
    return [f"{name} could not be read: {layer.message}" for name, layer in layers if isinstance(layer, ToolkitError)]


QUESTIONS = (
    Question(
        "loader-groups",
        "Are the newest release's groups those that the auto-loader's transformations make?",
        groups,
        limit=45.0,
    ),
    Question(
        "loader-transformation",
        "Does the auto-loader run the transformation that makes a group?",
        transformation,
        (Input("group", "group", "The group's name.", required=True),),
        limit=45.0,
    ),
)
