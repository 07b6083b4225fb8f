"""What a look around BioHive, and a measurement of its link, came to."""

from __future__ import annotations

from dataclasses import dataclass

from toolkit.errors import Failed
from toolkit.systems.bucket.names import shown


@dataclass(frozen=True, slots=True)
class Room:
    """Bytes that are free where `place` lies."""

    place: str
    free: int


@dataclass(frozen=True, slots=True)
class There:
    """Paths are "" where there is no such program; versions are bare (0.7.0)."""

    host: str
    system: str
    directory: str
    uv: str
    uv_version: str
    toolkit: str
    toolkit_version: str
    configuration: str
    jupyter: str
    slurm: str
    room: tuple[Room, ...]


@dataclass(frozen=True, slots=True)
class Link:
    """`bytes` that came in `seconds`, counted from the first byte."""

    bytes: int
    seconds: float

    @property
    def bytes_per_second(self) -> float:
        return self.bytes / self.seconds


def there(said: str) -> There:
    """From the lines that the script prints. Others (a login's greeting) are passed over."""
    values: dict[str, str] = {}
    room = []
    for line in said.splitlines():
        key, found, value = line.partition("=")
        if not found:
            continue
        if key == "free":
            count, _, place = value.partition(" ")
            if count.isdigit():
                room.append(Room(shown(place), int(count) * 1024))
        else:
            values.setdefault(key, shown(value.strip()))

    def version(key: str) -> str:
        return [*values.get(key, "").split(), "", ""][1]

    directory = values.get("directory", "")
    return There(
        host=values.get("host", ""),
        system=values.get("system", ""),
        directory=directory,
        uv=values.get("uv", ""),
        uv_version=version("uv_version"),
        toolkit=values.get("toolkit", ""),
        toolkit_version=version("toolkit_version"),
        configuration=values.get("configuration", ""),
        jupyter=values.get("jupyter", ""),
        slurm=values.get("slurm", ""),
        room=tuple(Room(directory if one.place == "." else one.place, one.free) for one in room),
    )


def link(said: str, url: str) -> Link:
    """From what curl wrote. Raises Failed where nothing was measured."""
    last = said.strip().splitlines()[-1:] or [""]
    if last[0] == "no curl":
        raise Failed("The link could not be measured: there is no curl on BioHive.")
    words = last[0].split()
    try:
        code, count, total, first = int(words[-4]), int(words[-3]), float(words[-2]), float(words[-1])
    except (IndexError, ValueError):
        raise Failed(f"The link could not be measured: {shown(' '.join(said.split()))[:200]}") from None
    if code not in (200, 206) or count < 1_000_000 or total <= first:
        why = f"{url} answered {code}" if code else "Google's storage does not answer there"
        raise Failed(
            f"The link could not be measured: {why}, {count:,} bytes came.",
            hint="biohive.measured_url may name another object that anybody may read.",
        )
    return Link(count, total - first)
