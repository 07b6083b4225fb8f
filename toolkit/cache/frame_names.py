"""How a frame is called in Redis and in the bucket: from group and frame to a name, and back.

A group's name may hold the very character that separates it from the frame (`neuro:2024:genes`), so a name alone can be
read in more than one way; which frames and groups are known decides.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import Final

from toolkit.environments import model
from toolkit.errors import ConfigurationError

_FIELD: Final = re.compile(r"(\{[^{}]*\})")
_GLOB: Final = re.compile(r"([*?\[\]\\^-])")


class FrameNames:
    """A pattern with {group} and {frame}, each once. `setting` is the configuration's key, for errors."""

    def __init__(self, pattern: str, setting: str) -> None:
        pieces = _FIELD.split(pattern)
        fields = tuple(pieces[1::2])
        if sorted(fields) != ["{frame}", "{group}"]:
            raise ConfigurationError(
                f"{setting} is {pattern!r}: it needs {{group}} and {{frame}}, each once, and nothing else in braces.",
                hint="For example {group}:{frame} in Redis, {group}/{frame}.parquet in the bucket.",
            )
        self.pattern = pattern
        self._before, self._between, self._after = pieces[::2]
        self._group_first = fields[0] == "{group}"
        if not self._between:
            raise ConfigurationError(
                f"{setting} is {pattern!r}: nothing separates the group from the frame.",
                hint="For example {group}:{frame}.",
            )

    def name(self, group: str, frame: str) -> str:
        """The name of a group's frame."""
        first, second = (group, frame) if self._group_first else (frame, group)
        return f"{self._before}{first}{self._between}{second}{self._after}"

    def parts(self, name: str, *, frames: Collection[str] = (), groups: Collection[str] = ()) -> tuple[str, str] | None:
        """(group, frame), or None where `name` cannot be a frame's.

        Of several readings the one with a known frame counts, then one with a known group, then the one whose frame
        does not hold the separator, then the one with the longest group.
        """
        return max(
            self._readings(name),
            key=lambda read: (read[1] in frames, read[0] in groups, self._between not in read[1], len(read[0])),
            default=None,
        )

    def glob(self, group: str) -> str:
        """The pattern with which Redis' SCAN finds a group's frames (and those of groups whose names begin alike)."""
        fields = (_escaped(group), "*") if self._group_first else ("*", _escaped(group))
        return f"{_escaped(self._before)}{fields[0]}{_escaped(self._between)}{fields[1]}{_escaped(self._after)}"

    def _readings(self, name: str) -> Iterator[tuple[str, str]]:
        end = len(name) - len(self._after)
        if not (name.startswith(self._before) and name.endswith(self._after) and end > len(self._before)):
            return
        inner = name[len(self._before) : end]
        at = inner.find(self._between, 1)
        while at != -1:
            first, second = inner[:at], inner[at + len(self._between) :]
            if second:
                yield (first, second) if self._group_first else (second, first)
            at = inner.find(self._between, at + 1)


def redis_names(cache: model.Cache) -> FrameNames:
    """How frames are called in Redis. Raises ConfigurationError."""
    return FrameNames(cache.frame_key, "cache.frame_key")


def bucket_names(cache: model.Cache, prefix: str) -> FrameNames:
    """How frames are called in the bucket, in full, below `prefix` (bucket.prefix). Raises ConfigurationError."""
    return FrameNames(folder(prefix) + cache.frame_object, "cache.frame_object")


def folder(prefix: str) -> str:
    """bucket.prefix as names begin with it: without a leading and with a closing slash, or empty."""
    bare = prefix.strip("/")
    return f"{bare}/" if bare else ""


def _escaped(text: str) -> str:
    return _GLOB.sub(r"\\\1", text)
