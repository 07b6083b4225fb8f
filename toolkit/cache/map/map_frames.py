"""Which frames of a group the map's pictures are made from: of the variant that is wanted, in the layer that counts.

That a frame is normalized only its name can say (assumed: `_normalized`); that it is split by experiment its columns
say too, and they are believed where a name is silent.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from toolkit.cache import stored
from toolkit.cache.stored import LAYERS, StoredFrame
from toolkit.errors import NotFound, ToolkitError
from toolkit.systems.bucket.names import shown

if TYPE_CHECKING:
    from toolkit.cache.layers import Layers
    from toolkit.systems.connections import Connections

Layer = Literal["L2", "L3"]

_SEPARATORS: Final = re.compile(r"[\W_]+")
_NORMALIZED: Final = re.compile(r"(?<!un)(?<!not)(?<!non)(normali[sz]ed|norm$)")


@dataclass(frozen=True)
class Wanted:
    """What a picture shall be made from. `group` None: the app's default group. `layer` None: Redis where it holds the
    group, which is what the app serves, else the bucket. `frames` by name; empty: all of the variant."""

    group: str | None = None
    layer: Layer | None = None
    frames: tuple[str, ...] = ()
    split: bool = False
    normalized: bool = True

    @property
    def variant(self) -> str:
        """The variant in words: split by experiment, normalized."""
        return f"{'split by experiment' if self.split else 'aggregated'}, {'normalized' if self.normalized else 'raw'}"


@dataclass(frozen=True)
class Source:
    """The frames that will be looked at, in this order, as far as needed; `group` is a raw name. `notes` are for
    people."""

    group: str
    layer: Layer
    frames: tuple[StoredFrame, ...]
    all_frames: tuple[str, ...]
    notes: tuple[str, ...] = ()

    @property
    def place(self) -> str:
        """For people: rp006_2026w47 in Redis."""
        return f"{shown(self.group)} in {LAYERS[self.layer]}"


def source(connections: Connections, read: Layers, wanted: Wanted) -> Source:
    """The frames that `wanted` means.

    Raises NotFound where there is no such group or frame, and the error of a layer without which that cannot be said.
    """
    group = _group(connections, read, wanted.group)
    layer, notes = _layer(connections, read, group, wanted.layer)
    there = tuple((stored.in_l2 if layer == "L2" else stored.in_l3)(connections, read, [group]))
    names = tuple(shown(frame.place.frame) for frame in there)
    if not there:
        raise _none_of_it(connections, group, layer)
    place = f"{shown(group)} in {LAYERS[layer]}"
    if wanted.frames:
        missing = [name for name in wanted.frames if name not in names]
        if missing:
            raise NotFound(f"There is no frame {missing[0]!r} of {place}.", hint=f"There are: {', '.join(names)}.")
        chosen = [frame for name in wanted.frames for frame in there if shown(frame.place.frame) == name]
    else:
        chosen = _of_variant(there, wanted)
        if not chosen:
            raise NotFound(
                f"No frame of {place} is {wanted.variant} by its name.",
                hint=f"Name one with --frame. There are: {', '.join(names)}.",
            )
    return Source(group, layer, tuple(chosen), names, notes)


def split_by_name(frame: str) -> bool:
    return "split" in _squeezed(frame)


def normalized_by_name(frame: str) -> bool:
    return _NORMALIZED.search(_squeezed(frame)) is not None


def _squeezed(frame: str) -> str:
    return _SEPARATORS.sub("", frame.casefold())


def _of_variant(there: Sequence[StoredFrame], wanted: Wanted) -> list[StoredFrame]:
    """By name; where no name says that it is split, all that may be: their columns decide when they are opened."""
    fitting = [frame for frame in there if normalized_by_name(frame.place.frame) == wanted.normalized]
    if wanted.split and not any(split_by_name(frame.place.frame) for frame in there):
        return fitting
    return [frame for frame in fitting if split_by_name(frame.place.frame) == wanted.split]


def _group(connections: Connections, read: Layers, name: str | None) -> str:
    if name is not None:
        return stored.named(read, name, connections.environment.name)
    if isinstance(read.l2, ToolkitError):
        read.l2.hint = f"{read.l2.hint} Or name a group (--group): the bucket can be read.".strip()
        raise read.l2
    if read.l2.index:
        return read.l2.index[0][0]
    known = [shown(group) for group in stored.group_names(read)]
    raise NotFound(
        f"{connections.environment.cache.index_key} is empty: the app has no default group.",
        hint=f"Name one with --group. There are: {', '.join(known)}." if known else "There is no group at all.",
    )


def _layer(connections: Connections, read: Layers, group: str, wanted: Layer | None) -> tuple[Layer, tuple[str, ...]]:
    """The layer, and what should be said about it."""
    layers = {"L2": read.l2, "L3": read.l3}
    if wanted is not None:
        problem = layers[wanted]
        if isinstance(problem, ToolkitError):
            raise problem
        return wanted, ()
    if isinstance(read.l2, ToolkitError):
        return "L3", (f"Redis could not be read, so this is from the bucket: {read.l2.message}",)
    if any(stored.in_l2(connections, read, [group])):
        return "L2", ()
    if isinstance(read.l3, ToolkitError):
        raise read.l3
    return "L3", ("Redis does not hold this group, so this is from the bucket.",)


def _none_of_it(connections: Connections, group: str, layer: Layer) -> NotFound:
    other = "L3" if layer == "L2" else "L2"
    return NotFound(
        f"{LAYERS[layer][0].upper()}{LAYERS[layer][1:]} holds no frame of {shown(group)}.",
        hint=f"--layer {other} looks in {LAYERS[other]}; `toolkit groups show {shown(group)}` shows both.",
        by_hand=_listing(connections, group, layer),
    )


def _listing(connections: Connections, group: str, layer: Layer) -> Sequence[str]:
    from toolkit.cache.frame_names import folder, redis_names
    from toolkit.systems.bucket.names import argument

    environment = connections.environment
    if layer == "L2":
        return (f"redis-cli --scan --pattern {argument(redis_names(environment.cache).glob(group))}",)
    where = f"gs://{environment.bucket.name}/{folder(environment.bucket.prefix)}{group}/"
    return (f"gcloud storage ls {argument(where)}",)
