"""Is a frame the same in Redis and in the bucket? Told from what is cheap to look at, and never said to be more."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from toolkit import figures
from toolkit.cache import stored
from toolkit.cache.frame_report import listed
from toolkit.cache.name_index import samples
from toolkit.cache.row_keys import treatments
from toolkit.cache.vector_health import EXAMPLES
from toolkit.progress import Progress
from toolkit.systems.bucket.names import shown

if TYPE_CHECKING:
    from toolkit.cache.perturbations import Perts
    from toolkit.cache.stored import StoredFrame
    from toolkit.systems.connections import Connections

Verdict = Literal[
    "same-checksum", "same-samples", "other-vectors", "other-bytes", "other-perts", "only-l2", "only-l3", "unknown"
]
SAME = ("same-checksum", "same-samples")


@dataclass(frozen=True, slots=True)
class Agreement:
    """One frame in both layers: bytes in each (None: not there), whether it is the same, and `text`, which says how
    closely that was looked at. `bytes_read` were read for it."""

    frame: str
    l2_bytes: int | None
    l3_bytes: int | None
    verdict: Verdict
    text: str
    bytes_read: int = 0

    @property
    def same(self) -> bool | None:
        """None where it is not known, or the layers cannot differ: only one holds it."""
        return None if self.verdict in ("unknown", "only-l2", "only-l3") else self.verdict in SAME


def alone(frame: StoredFrame) -> Agreement:
    """Of a frame that only one layer holds."""
    name = shown(frame.place.frame)
    if frame.info is None:
        return Agreement(name, frame.bytes, None, "only-l2", "in Redis only")
    return Agreement(name, None, frame.bytes, "only-l3", "in the bucket only")


def bytes_compared(
    connections: Connections,
    l2: StoredFrame,
    l3: StoredFrame,
    progress: Progress,
    tell: Callable[[int], None],
    *,
    full: bool,
) -> Agreement:
    """Sizes, then samples of the bytes; with `full` the checksum of all of Redis' value, which is then read as a whole.

    `tell` is given the bytes read so far. Raises ToolkitError.
    """
    name = shown(l2.place.frame)
    if l2.bytes != l3.bytes:
        text = f"{figures.size(l2.bytes)} in Redis, {figures.size(l3.bytes)} in the bucket"
        if figures.size(l2.bytes) == figures.size(l3.bytes):
            text = f"{l2.bytes:,} bytes in Redis, {l3.bytes:,} in the bucket"
        return Agreement(name, l2.bytes, l3.bytes, "other-bytes", text)
    if full:
        return _checksums(connections, l2, l3, progress, tell)
    ranges = samples(l2.bytes)
    here = connections.redis.get_ranges([(l2.key, start, end) for start, end in ranges])
    reader = stored.reader_of(connections, l3)
    there = reader.fetch_many(ranges)
    count = sum(map(len, here))
    read = count + reader.bytes_read
    tell(read)
    if here == there:
        text = f"same size, and the same {count:,} of {l2.bytes:,} bytes"
        return Agreement(name, l2.bytes, l3.bytes, "same-samples", text, read)
    return Agreement(name, l2.bytes, l3.bytes, "other-bytes", "the same size, but other bytes", read)


def _checksums(
    connections: Connections, l2: StoredFrame, l3: StoredFrame, progress: Progress, tell: Callable[[int], None]
) -> Agreement:
    import google_crc32c

    name = shown(l2.place.frame)
    if l3.info is None or not l3.info.crc32c:
        return Agreement(name, l2.bytes, l3.bytes, "unknown", "not known: the bucket names no CRC32C")
    checksum = count = 0
    for piece in connections.redis.value(l2.key):
        progress.check_stop()
        checksum = google_crc32c.extend(checksum, piece)
        count += len(piece)
        tell(count)
    ours = base64.b64encode(checksum.to_bytes(4, "big")).decode()  # as Google writes it
    if count == l3.bytes and ours == l3.info.crc32c:
        return Agreement(name, l2.bytes, l3.bytes, "same-checksum", f"same CRC32C over all {count:,} bytes", count)
    text = f"the same size, but CRC32C {ours} in Redis, {l3.info.crc32c} in the bucket"
    return Agreement(name, l2.bytes, l3.bytes, "other-bytes", text, count)


def perts_compared(agreement: Agreement, l2: Perts | None, l3: Perts | None) -> Agreement:
    """The agreement of a frame whose bytes differ, once it is known what each holds (None: it cannot be read)."""
    if l2 is None or l3 is None:
        return replace(agreement, text=f"{agreement.text}; its perts could not be compared")
    here, there = set(treatments(l2)), set(treatments(l3))
    if here == there:
        return replace(agreement, verdict="other-vectors", text=f"{agreement.text}; the same perts and concentrations")
    parts = []
    for label, more in (("Redis", here - there), ("the bucket", there - here)):
        if more:
            few = tuple(dict.fromkeys(shown(pert) for pert, _, _ in sorted(more, key=str)))
            parts.append(f"{len(more):,} only in {label}{listed(few[:EXAMPLES], len(few))}")
    return replace(
        agreement, verdict="other-perts", text=f"{agreement.text}; perts at concentrations: {'; '.join(parts)}"
    )
