"""The perturbations of one frame, or of one group: read by name once, and then known from the name index."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from toolkit.cache import layers, stored
from toolkit.cache.formats.frame import UnreadableFrame
from toolkit.cache.perturbations import Perts
from toolkit.cache.search.name_index import NameIndex
from toolkit.cache.search.searching import Search
from toolkit.cache.stored import LAYERS
from toolkit.errors import NotFound, ToolkitError
from toolkit.progress import SILENT, Progress
from toolkit.systems.bucket.names import shown

if TYPE_CHECKING:
    from toolkit.cache.layers import Layers
    from toolkit.cache.search.searched import Searched
    from toolkit.cache.stored import StoredFrame
    from toolkit.systems.connections import Connections


@dataclass(frozen=True)
class FramePerts:
    """What a frame holds, in the layer where it was read. `bytes_read` of its `bytes` were read for it: 0 where the
    name index knew it. `notes`: what somebody should know besides."""

    group: str
    frame: str
    layer: str
    perts: Perts
    bytes: int
    bytes_read: int
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class GroupPerts:
    """The names of one group, sorted: genes, and compounds (what has concentrations, or is called one)."""

    genes: tuple[str, ...]
    compounds: tuple[str, ...]


def of_frame(
    connections: Connections, group: str, frame: str, layer: str | None = None, progress: Progress = SILENT
) -> FramePerts:
    """The perturbations of `frame` of `group`, from `layer`, or else from Redis where it lies there and can be read.

    Raises NotFound, UnreadableFrame where it is damaged, and the layer's error.
    """
    read = layers.read_either(connections)
    raw = stored.named(read, group, connections.environment.name)
    lying = [one for one in stored.everywhere(connections, read, [raw]) if shown(one.place.frame) == frame]
    wanted = [one for one in lying if layer in (None, one.place.layer)]
    if not wanted:
        if problems := stored.problems_of(read):
            raise problems[0]
        where = "neither layer" if layer is None else LAYERS[layer]
        raise NotFound(f"{group} has no frame {frame!r} in {where}.", hint=f"`toolkit groups show {group}`")
    notes: list[str] = []
    problem: ToolkitError | None = None
    for one in wanted:
        searched = _searched(connections, [one], progress)
        held = searched.held.get(one.place)
        if held is not None:
            notes += searched.notes
            return FramePerts(group, frame, one.place.layer, held, one.bytes, searched.bytes_read, tuple(notes))
        why = shown(searched.unreadable.get(one.place, "it was not read"))
        notes.append(f"{LAYERS[one.place.layer]}'s cannot be read: {why}")
        problem = problem or (searched.problems[0] if searched.problems else UnreadableFrame(one.name, "", why))
    raise problem or NotFound(f"{group} has no frame {frame!r}.", hint=f"`toolkit groups show {group}`")


def of_group(connections: Connections, group: str, progress: Progress = SILENT) -> GroupPerts:
    """The names that the frames of `group` hold in one of the layers. Raises as `of_frame` does."""
    read = layers.read_either(connections)
    raw = stored.named(read, group, connections.environment.name)
    lying = list(stored.in_l2(connections, read, [raw])) or list(stored.in_l3(connections, read, [raw]))
    searched = _searched(connections, lying, progress)
    if not searched.held and searched.problems:
        raise searched.problems[0]
    genes: set[str] = set()
    compounds: set[str] = set()
    for perts in {id(held): held for held in searched.held.values()}.values():
        for name, kind, series in zip(perts.names, perts.kinds, perts.concentrations, strict=True):
            (compounds if series or kind == "compound" else genes).add(name)
    return GroupPerts(tuple(sorted(genes)), tuple(sorted(compounds)))


def counts(connections: Connections, read: Layers | None = None) -> Iterator[tuple[str, int]]:
    """Each group that the name index knows, with how many perturbations it has. No frame is read for it.

    Of a group counted are the distinct names of all its frames in the bucket whose names were read before.
    """
    read = read or layers.read_either(connections)
    index = NameIndex()
    for raw in stored.group_names(read):
        found: set[str] = set()
        seen: set[int] = set()
        for frame in stored.in_l3(connections, read, [raw]):
            kept = index.get(frame.place, frame.generation)
            if kept is not None and id(kept[1].names) not in seen:
                seen.add(id(kept[1].names))
                found.update(kept[1].names)
        if found:
            yield shown(raw), len(found)


def _searched(connections: Connections, frames: Iterable[StoredFrame], progress: Progress) -> Searched:
    index = NameIndex()
    lying = list(frames)
    searched = Search(connections, lying, progress, index).search(
        list(dict.fromkeys(one.place.group for one in lying)), list(LAYERS)
    )
    if searched.frames_read:
        index.tidy()
    return searched
