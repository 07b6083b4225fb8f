"""What Loki answers with: streams of entries, as its JSON has them, in query_range and in tail alike."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import msgspec

from toolkit.errors import Failed, ToolkitError
from toolkit.systems.loki.errors import nonsense

Labels = Mapping[str, str]


class Written(NamedTuple):
    """One entry. `time` is nanoseconds since the epoch, `metadata` Loki's structured metadata."""

    time: int
    text: str
    metadata: Labels


@dataclass(frozen=True, slots=True)
class Chunk:
    """Entries of one stream, which is what its labels are, in the order that was asked for."""

    labels: Labels
    entries: list[Written]


def read_streams(body: bytes) -> list[Chunk]:
    """The streams of an answer. Raises Unreachable for nonsense, Failed for an answer to a metric query."""
    try:
        data = msgspec.json.decode(body)["data"]
        if data["resultType"] != "streams":
            raise _no_lines(str(data["resultType"]))
        return [chunk_of(stream) for stream in data["result"]]
    except (msgspec.DecodeError, KeyError, TypeError, ValueError, AttributeError):
        raise nonsense("something that is not its JSON") from None


def chunk_of(stream: Any) -> Chunk:
    """A stream as Loki writes it: {stream: labels, values: [[nanoseconds, line, {structuredMetadata}?]]}."""
    entries = [
        Written(int(value[0]), str(value[1]), _metadata(value[2]) if len(value) > 2 else {})
        for value in stream["values"]
    ]
    return Chunk(stream["stream"], entries)


def _metadata(found: Any) -> Labels:
    """With categorised labels there are two tables: what was stored with the line, and what a parser stage found."""
    if "structuredMetadata" in found or "parsed" in found:
        return {**found.get("structuredMetadata", {}), **found.get("parsed", {})}
    return dict(found)


def _no_lines(kind: str) -> ToolkitError:
    return Failed(
        f"This LogQL query gives numbers (a {kind}), not log lines.",
        hint="Leave the functions around it out (rate, count_over_time, sum …): `{…} |= …` gives lines.",
    )
