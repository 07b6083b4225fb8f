"""Where the frames of one group lie, in both layers; and which of them are not there, though they should be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from toolkit.cache import stored
from toolkit.cache.stored import LAYERS, StoredFrame
from toolkit.errors import NotFound, ToolkitError
from toolkit.systems.bucket.names import shown

if TYPE_CHECKING:
    from toolkit.cache.layers import Layers
    from toolkit.systems.connections import Connections

LayerName = Literal["L2", "L3"]


@dataclass(frozen=True)
class GroupFrames:
    """A group's frames by raw name: in Redis, in the bucket; `wrong` are keys of Redis with another kind of data.

    `missing` are, by layer, those that should be there too; `nameless` says where some are missing whose names nobody
    knows.
    """

    l2: Mapping[str, StoredFrame]
    l3: Mapping[str, StoredFrame]
    wrong: frozenset[str] = frozenset()
    missing: Mapping[LayerName, tuple[str, ...]] | None = None
    nameless: tuple[str, ...] = ()

    @classmethod
    def of(cls, connections: Connections, read: Layers, group: str) -> GroupFrames:
        """Those of `group` (its raw name). A layer that could not be read lacks nothing."""
        l2 = {frame.place.frame: frame for frame in stored.in_l2(connections, read, [group])}
        l3 = {frame.place.frame: frame for frame in stored.in_l3(connections, read, [group])}
        wrong = frozenset(place.frame for place in stored.wrong_kind(connections, read, [group]))
        cache = connections.environment.cache
        should, expected = set(cache.frames) or _usual(read), len(cache.frames) or cache.frames_per_group
        due: dict[LayerName, set[str]] = {}
        if not isinstance(read.l2, ToolkitError) and (l2 or wrong or group in dict(read.l2.index)):
            due["L2"] = l2.keys() | wrong
        if not isinstance(read.l3, ToolkitError):
            due["L3"] = set(l3)
        lacking = {layer: there for layer, there in due.items() if len(there) < expected}
        nameless = [
            f"{LAYERS[layer]} holds {len(there)} of the usual {expected} frames"
            for layer, there in lacking.items()
            if len(there | should) < expected
        ]
        missing = {layer: tuple(sorted(should - there)) for layer, there in lacking.items()}
        return cls(l2, l3, wrong, missing, tuple(nameless))

    def only(self, frames: Sequence[str], group: str) -> GroupFrames:
        """Those of `frames` alone, as people call them. Raises NotFound."""
        known = {shown(name): name for name in self.names()}
        for frame in frames:
            if frame not in known:
                hint = f"It has: {', '.join(known)}." if known else "It has none at all."
                raise NotFound(f"{group} has no frame {frame!r}.", hint=hint)
        wanted = {known[frame] for frame in frames}
        return GroupFrames(
            {name: frame for name, frame in self.l2.items() if name in wanted},
            {name: frame for name, frame in self.l3.items() if name in wanted},
            self.wrong & wanted,
            {layer: tuple(name for name in names if name in wanted) for layer, names in self._missing.items()},
        )

    def layer(self, layer: LayerName) -> Mapping[str, StoredFrame]:
        """Those in one layer."""
        return self.l2 if layer == "L2" else self.l3

    def names(self) -> list[str]:
        """All raw names, also of those that are missing."""
        missing = {name for names in self._missing.values() for name in names}
        return sorted(self.l2.keys() | self.l3.keys() | self.wrong | missing)

    def is_missing(self, frame: str, layer: LayerName) -> bool:
        return frame in self._missing.get(layer, ())

    def lacks(self) -> list[str]:
        """What is missing, in words."""
        said = [
            f"missing in {LAYERS[layer]}: {', '.join(map(shown, names))}"
            for layer, names in self._missing.items()
            if names
        ]
        return [*said, *self.nameless]

    @property
    def _missing(self) -> Mapping[LayerName, tuple[str, ...]]:
        return self.missing or {}


def not_in(read: Layers, layer: LayerName, group: str) -> ToolkitError:
    """Why a layer that was asked for gives nothing of a group: its own error, or NotFound."""
    held = read.l2 if layer == "L2" else read.l3
    if isinstance(held, ToolkitError):
        return held
    where = LAYERS[layer]
    return NotFound(
        f"{where[0].upper()}{where[1:]} holds no such frame of {group}.",
        hint=f"`toolkit groups show {group}` shows what each layer holds.",
    )


def _usual(read: Layers) -> set[str]:
    """The frames that any group has."""
    names: set[str] = set()
    for layer in (read.l2, read.l3):
        if not isinstance(layer, ToolkitError):
            for frames in layer.frames.values():
                names |= frames.keys()
    return names
