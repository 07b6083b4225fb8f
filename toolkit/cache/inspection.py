"""Looking into one group: each of its frames in each layer, how their vectors are, and whether the layers agree.

One frame is read at a time, and streamed: memory does not grow with the group.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from toolkit import figures
from toolkit.cache import frame_reading, layers, stored
from toolkit.cache.checklist import Line, checklist
from toolkit.cache.frame_reading import Reading, unreadable, with_problems
from toolkit.cache.frame_report import FrameReport, Problem
from toolkit.cache.group_frames import GroupFrames, LayerName, not_in
from toolkit.cache.layer_comparison import Agreement, alone, bytes_compared, perts_compared
from toolkit.cache.stored import LAYERS, StoredFrame
from toolkit.errors import Interrupted, NotAllowed, ToolkitError, Unreachable
from toolkit.progress import SILENT, Progress
from toolkit.systems.bucket.names import shown

if TYPE_CHECKING:
    from toolkit.systems.connections import Connections


@dataclass(frozen=True)
class Inspection:
    """A group, looked into. `layer` is the one whose vectors were read; `frames` has a report for each frame in each
    layer that holds it or should, `layers` how far both agree.

    `bytes_read` were read, of the `bytes_total` that the frames have in both layers. `errors` are those of a layer
    that could not be read, or fell silent.
    """

    group: str
    layer: LayerName
    frames: tuple[FrameReport, ...]
    layers: tuple[Agreement, ...]
    checklist: tuple[Line, ...]
    bytes_read: int
    bytes_total: int
    errors: tuple[ToolkitError, ...] = ()

    @property
    def well(self) -> bool:
        """Whether nothing that was looked at is wrong."""
        lines = all(line.status != "warn" for line in self.checklist)
        return lines and not any(frame.problems for frame in self.frames)


def inspect(
    connections: Connections,
    name: str,
    progress: Progress = SILENT,
    *,
    frames: Sequence[str] = (),
    layer: LayerName | None = None,
    vectors: bool = True,
    full: bool = False,
) -> Inspection:
    """Look into the group called `name`: all of its frames, or `frames`; their `vectors` too, from `layer`, by default
    from Redis where it holds any of the group: that is what the app shows. `full` compares the layers' checksums.

    A layer or a frame that cannot be read is named, and the others are read. Raises the error of L2 where neither
    layer can be read, NotFound for an unknown group or frame, Interrupted.
    """
    read = layers.read_either(connections)
    progress.check_stop()
    raw = stored.named(read, name, connections.environment.name)
    there = GroupFrames.of(connections, read, raw)
    if frames:
        there = there.only(frames, name)
    main: LayerName = layer or ("L2" if there.l2 or there.wrong else "L3")
    if layer is not None and not there.layer(layer):
        raise not_in(read, layer, name)
    work = _Work(connections, there, main, progress, vectors, full, list(stored.problems_of(read)))
    work.announce(name)
    readings = work.readings()
    unread = [LAYERS[which] for which, held in (("L2", read.l2), ("L3", read.l3)) if isinstance(held, ToolkitError)]
    total = sum(frame.bytes for frame in (*there.l2.values(), *there.l3.values()))
    return Inspection(
        name,
        main,
        tuple(work.reports),
        tuple(work.agreements),
        checklist(readings, work.agreements, there.lacks(), unread),
        work.bytes_read,
        total,
        tuple(work.errors),
    )


@dataclass
class _Work:
    """One inspection under way."""

    connections: Connections
    there: GroupFrames
    main: LayerName
    progress: Progress
    vectors: bool
    full: bool
    errors: list[ToolkitError]
    reports: list[FrameReport] = field(default_factory=list)
    agreements: list[Agreement] = field(default_factory=list)
    bytes_read: int = 0
    _to_read: int = 0
    _silent: dict[str, str] = field(default_factory=dict)  # a layer's last words; it is not asked again

    def announce(self, group: str) -> None:
        """Say what is going to be read."""
        held = self.there.layer(self.main)
        frames = "1 frame" if len(held) == 1 else f"{len(held)} frames"
        if not self.vectors:
            text = f"Reading the names in {frames} of {group}, not the vectors"
        else:
            self._to_read = sum(frame.bytes for frame in held.values())
            text = f"Reading {frames} of {group} from {LAYERS[self.main]}: {figures.size(self._to_read)}"
        if self.full:
            l2, l3 = self.there.l2, self.there.l3
            again = sum(l2[name].bytes for name in l2.keys() & l3.keys() if l2[name].bytes == l3[name].bytes)
            self._to_read += again
            text += f", and for the checksums {figures.size(again)} from Redis"
        self.progress.step(text)

    def readings(self) -> list[Reading]:
        """Look at each frame in both layers, and give back what was read of the main one."""
        found = []
        for name in self.there.names():
            self.progress.check_stop()
            reading = self._frame(name)
            if reading is not None:
                found.append(reading)
        if self._to_read:
            self.progress.advance("read", self._to_read, self._to_read, "bytes")
        return found

    def _frame(self, name: str) -> Reading | None:
        l2, l3 = self.there.l2.get(name), self.there.l3.get(name)
        agreement = self._compared(l2, l3)
        other: LayerName = "L3" if self.main == "L2" else "L2"
        found: dict[LayerName, Reading] = {}
        for layer in (self.main, other):
            frame = self.there.layer(layer).get(name)
            same = found.get(self.main) if agreement is not None and agreement.same else None
            if frame is None:
                lacking = self._lacking(name, layer)
                found |= {layer: lacking} if lacking is not None else {}
            elif layer == other and same is not None and same.perts is not None:
                report = replace(same.report, layer=other, vectors=None, same_as=self.main, problems=())
                found[layer] = replace(same, report=report)
            else:
                found[layer] = self._looked(frame, layer, vectors=self.vectors and layer == self.main)
        if agreement is not None:
            if agreement.verdict == "other-bytes":
                agreement = perts_compared(agreement, found["L2"].perts, found["L3"].perts)
            if agreement.same is False:
                problem = Problem("differs-from-l3", f"is another than in the bucket: {agreement.text}")
                found["L2"] = replace(found["L2"], report=with_problems(found["L2"].report, problem))
            self.agreements.append(agreement)
        self.reports += [reading.report for reading in found.values()]
        main = found.get(self.main)
        return None if main is None or self.there.is_missing(name, self.main) else main

    def _lacking(self, name: str, layer: LayerName) -> Reading | None:
        """The report on a frame that is not there as a frame, where that is wrong."""
        if layer == "L2" and name in self.there.wrong:
            problem = unreadable("Redis holds another kind of data there")
        elif self.there.is_missing(name, layer):
            problem = Problem("missing", f"is missing in {LAYERS[layer]}")
        else:
            return None
        return Reading(FrameReport(shown(name), layer, problems=(problem,)))

    def _compared(self, l2: StoredFrame | None, l3: StoredFrame | None) -> Agreement | None:
        if l2 is None or l3 is None:
            only = l2 or l3
            return None if only is None else alone(only)
        why = next(iter(self._silent.values()), "")
        if not why:
            try:
                agreement = bytes_compared(self.connections, l2, l3, self.progress, self._teller(), full=self.full)
            except Interrupted:
                raise
            except ToolkitError as error:
                why = error.message
            else:
                self.bytes_read += agreement.bytes_read
                return agreement
        return Agreement(shown(l2.place.frame), l2.bytes, l3.bytes, "unknown", f"not known: {why}")

    def _looked(self, frame: StoredFrame, layer: LayerName, *, vectors: bool) -> Reading:
        if layer in self._silent:
            report = FrameReport(shown(frame.place.frame), layer, frame.bytes)
            return Reading(with_problems(report, unreadable(self._silent[layer])))
        reading = frame_reading.read(self.connections, frame, self._teller(), self.progress, vectors=vectors)
        self.bytes_read += reading.bytes_read
        if isinstance(reading.error, Unreachable | NotAllowed):
            self._silent[layer] = reading.error.message
            self.errors.append(reading.error)
        return reading

    def _teller(self) -> Callable[[int], None]:
        """Takes the bytes read since now, and shows how far it all is."""
        before = self.bytes_read

        def tell(count: int) -> None:
            if before + count < self._to_read:  # the end is told once, when it has come
                self.progress.advance("read", before + count, self._to_read, "bytes")

        return tell
