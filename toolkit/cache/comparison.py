"""Two groups side by side, or one group in both layers: which perts and concentrations came and went, and which vectors
moved. A cosine between two groups means something only where the same model made their vectors.

Names come from the name index; vectors are streamed, and of each pert at each concentration only the mean is kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from toolkit import figures
from toolkit.cache import layers, stored
from toolkit.cache.differences import (
    MOVED,
    Concentrations,
    FrameDifference,
    Named,
    Side,
    names_apart,
    vectors_apart,
)
from toolkit.cache.group_frames import LayerName, not_in
from toolkit.cache.layers import Layers
from toolkit.cache.mean_vectors import Means
from toolkit.cache.name_index import NameIndex
from toolkit.cache.perturbations import Perts
from toolkit.cache.row_keys import Treatment, treatments
from toolkit.cache.searched import Searched
from toolkit.cache.searching import Search
from toolkit.cache.stored import LAYERS, StoredFrame
from toolkit.cache.vectors import stream
from toolkit.errors import Interrupted, NotAllowed, NotFound, ToolkitError, Unreachable, UsageError
from toolkit.progress import SILENT, Progress
from toolkit.systems.bucket.names import shown

if TYPE_CHECKING:
    from toolkit.systems.connections import Connections


@dataclass(frozen=True)
class Difference:
    """What is in `b` and not in `a` was added, the other way round removed: over all `frames` that were compared.

    `only_a` and `only_b` are frames that one side alone holds. `bytes_read` of the `bytes_total` that the frames have
    on both sides were read. `errors` are those of a layer that could not be read, or fell silent.
    """

    a: Side
    b: Side
    frames: tuple[FrameDifference, ...]
    added: tuple[Named, ...]
    removed: tuple[Named, ...]
    concentrations: tuple[Concentrations, ...]
    only_a: tuple[str, ...]
    only_b: tuple[str, ...]
    moved_below: float
    bytes_read: int
    bytes_total: int
    notes: tuple[str, ...] = ()
    errors: tuple[ToolkitError, ...] = ()

    @property
    def same(self) -> bool:
        """Nothing differs, and all of it could be read."""
        names = self.added or self.removed or self.concentrations or self.only_a or self.only_b
        return not names and not any(frame.moved or frame.not_comparable or frame.unreadable for frame in self.frames)


def diff(
    connections: Connections,
    a: str,
    b: str,
    progress: Progress = SILENT,
    *,
    sides: tuple[LayerName | None, LayerName | None] = (None, None),
    frames: Sequence[str] = (),
    moved_below: float = MOVED,
    limit: int = 20,
    vectors: bool = True,
    index: NameIndex | None = None,
) -> Difference:
    """Group `a` against group `b`, each in the layer that `sides` names, by default Redis where it holds the group.

    Compared are `frames`, or else those that are not split by experiment; of each frame the `limit` worst moves are
    kept. Raises NotFound for an unknown group or frame, UsageError where both sides are the same, the error of a layer
    that is needed and cannot be read, Interrupted.
    """
    read = layers.read_either(connections)
    progress.check_stop()
    environment = connections.environment.name
    one, other = (
        _Side.of(connections, read, stored.named(read, name, environment), layer)
        for name, layer in zip((a, b), sides, strict=True)
    )
    if one.side == other.side:
        hint = "Name another group, or both layers: --layer l2,l3"
        raise UsageError(f"{one.side.group} in {LAYERS[one.side.layer]} would be compared with itself.", hint=hint)
    if frames:
        _keep(frames, one, other)
    lying = (*one.frames.values(), *other.frames.values())
    names = index or NameIndex()
    searched = Search(connections, lying, progress, names).search(
        list(dict.fromkeys((one.raw, other.raw))), list(LAYERS)
    )
    if searched.frames_read:
        names.tidy()
    one.take(searched)
    other.take(searched)
    errors = [*(stored.problems_of(read) if None in sides else ()), *searched.problems]
    work = _Work(connections, one, other, progress, errors)
    work.compare_names(every=bool(frames))
    if vectors:
        work.compare_vectors(moved_below, limit)
    apart = names_apart(work.pairs)
    return Difference(
        one.side,
        other.side,
        tuple(work.found),
        apart.added,
        apart.removed,
        apart.concentrations,
        tuple(sorted(map(shown, one.frames.keys() - other.frames.keys()))),
        tuple(sorted(map(shown, other.frames.keys() - one.frames.keys()))),
        moved_below,
        searched.bytes_read + work.bytes_read,
        sum(frame.bytes for frame in lying),
        tuple(searched.notes),
        tuple(errors),
    )


@dataclass
class _Side:
    """A side with its frames by raw name, and what each of them holds."""

    side: Side
    raw: str
    frames: dict[str, StoredFrame]
    held: dict[str, Perts] = field(default_factory=dict)
    unreadable: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, connections: Connections, read: Layers, raw: str, layer: LayerName | None) -> _Side:
        """Raises the layer's error, or NotFound where it holds nothing of the group."""
        if layer is None:
            layer = "L2" if not isinstance(read.l2, ToolkitError) and read.l2.frames.get(raw) else "L3"
        lying = stored.in_l2 if layer == "L2" else stored.in_l3
        frames = {frame.place.frame: frame for frame in lying(connections, read, [raw])}
        if not frames:
            raise not_in(read, layer, shown(raw))
        return cls(Side(shown(raw), layer), raw, frames)

    def take(self, searched: Searched) -> None:
        """What the search found of it."""
        for name, frame in self.frames.items():
            if frame.place in searched.held:
                self.held[name] = searched.held[frame.place]
            else:
                self.unreadable[name] = searched.unreadable.get(frame.place, "it was not read")

    def why_not(self, frame: str) -> str:
        """Why the frame's names are not known; empty where they are."""
        why = self.unreadable.get(frame)
        return "" if why is None else f"{self.side.group} in {LAYERS[self.side.layer]}: {shown(why)}"


def _keep(frames: Sequence[str], *sides: _Side) -> None:
    """Leave only `frames`, as people call them. Raises NotFound for one that no side has."""
    known = {shown(name): name for side in sides for name in side.frames}
    for frame in frames:
        if frame not in known:
            raise NotFound(f"Neither side has a frame {frame!r}.", hint=f"There are: {', '.join(sorted(known))}.")
    for side in sides:
        side.frames = {name: frame for name, frame in side.frames.items() if shown(name) in frames}


@dataclass
class _Work:
    """A comparison under way: what was `found` of each frame, in `pairs` the perts of both sides."""

    connections: Connections
    a: _Side
    b: _Side
    progress: Progress
    errors: list[ToolkitError]
    found: list[FrameDifference] = field(default_factory=list)
    pairs: list[tuple[Perts, Perts]] = field(default_factory=list)
    bytes_read: int = 0
    _raw: list[str] = field(default_factory=list)
    _to_read: int = 0
    _silent: dict[LayerName, ToolkitError] = field(default_factory=dict)  # not asked again

    def compare_names(self, *, every: bool) -> None:
        """Frames that are split by experiment are left out, unless `every` one is wanted."""
        for name in sorted(self.a.frames.keys() & self.b.frames.keys()):
            why = self.a.why_not(name) or self.b.why_not(name)
            if why:
                self._found(name, FrameDifference(shown(name), unreadable=why))
                continue
            here, there = self.a.held[name], self.b.held[name]
            split = any(count is not None for perts in (here, there) for count in perts.experiments)
            if every or not split:
                self.pairs.append((here, there))
                both = set(zip(here.names, here.kinds, strict=True)) & set(zip(there.names, there.kinds, strict=True))
                self._found(name, FrameDifference(shown(name), split, len(both)))

    def compare_vectors(self, moved_below: float, limit: int) -> None:
        """The vectors of the frames whose names could be compared."""
        readable = [(at, name) for at, name in enumerate(self._raw) if not self.found[at].unreadable]
        self._to_read = sum(side.frames[name].bytes for _, name in readable for side in (self.a, self.b))
        self.progress.step(f"Reading the vectors of {len(readable)} frames of both: {figures.size(self._to_read)}")
        for at, name in readable:
            self.found[at] = self._vectors(name, self.found[at], moved_below, limit)
        self.progress.advance("read", self._to_read, self._to_read, "bytes")

    def _vectors(self, name: str, known: FrameDifference, moved_below: float, limit: int) -> FrameDifference:
        wanted = set(treatments(self.a.held[name])) & set(treatments(self.b.held[name]))
        means = []
        for side in (self.a, self.b):
            got = self._means(side, name, wanted)
            if isinstance(got, ToolkitError):
                why = f"{side.side.group} in {LAYERS[side.side.layer]}: {shown(getattr(got, 'why', got.message))}"
                return replace(known, unreadable=why)
            means.append(got)
        return vectors_apart(known, means[0].cosines(means[1]), len(wanted), moved_below, limit)

    def _means(self, side: _Side, name: str, wanted: set[Treatment]) -> Means | ToolkitError:
        if side.side.layer in self._silent:
            return self._silent[side.side.layer]
        reader = stored.reader_of(self.connections, side.frames[name])
        dimension = self.connections.environment.cache.vector_length
        means = Means(wanted, dimension)
        try:
            with stored.opened(reader, self.progress) as frame:
                for part in stream(frame, dimension, name=reader.name):
                    self.progress.check_stop()
                    means.add(part)
                    if self.bytes_read + reader.bytes_read < self._to_read:
                        self.progress.advance("read", self.bytes_read + reader.bytes_read, self._to_read, "bytes")
        except Interrupted:
            raise
        except ToolkitError as error:
            if isinstance(error, Unreachable | NotAllowed):
                self.errors.append(error)
                self._silent[side.side.layer] = error
            return error
        finally:
            self.bytes_read += reader.bytes_read
        return means

    def _found(self, name: str, difference: FrameDifference) -> None:
        self._raw.append(name)
        self.found.append(difference)
