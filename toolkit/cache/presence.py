"""How much of a group one layer of the cache holds."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Presence:
    """`frames` of the `expected` frames are there, `bytes` in all. Where the layer could not be read, `present`,
    `frames` and `bytes` are None and `reason` says why."""

    present: bool | None
    frames: int | None
    bytes: int | None
    expected: int
    reason: str = ""

    @property
    def complete(self) -> bool | None:
        """Every expected frame is there; None where that is not known."""
        return None if self.frames is None else self.frames >= self.expected


def unknown(reason: str, expected: int) -> Presence:
    """Of a layer that could not be read."""
    return Presence(None, None, None, expected, reason)
