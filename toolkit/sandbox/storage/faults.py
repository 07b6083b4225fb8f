"""What can be switched wrong on the sandbox's storage server: slowness, refusals, broken connections.

All is off until it is asked for; `heal()` switches everything off again.
"""

from __future__ import annotations

import fnmatch
from dataclasses import dataclass, field

PERMISSIONS = (
    "storage.buckets.get",
    "storage.objects.list",
    "storage.objects.get",
    "storage.objects.create",
    "storage.objects.delete",
    "storage.objects.restore",
)


@dataclass
class ObjectFault:
    """Changing objects whose name matches `pattern` (as in a shell) fails with `status`, `times` times or always."""

    pattern: str
    status: int
    times: int | None = None


@dataclass
class Faults:
    """The knobs, as plain attributes.

    latency: seconds before each answer. failing: statuses of the next answers, the first first. objects: see
    ObjectFault. denied: bucket -> permissions that are missing there. cut_after, cuts: the next `cuts` downloads end
    with a broken connection after `cut_after` bytes. corrupt: so many next downloads have a wrong byte. shuffle: a
    batch's answers come in reverse order. mute: so many next batches are carried out, but their answer never comes.
    """

    latency: float = 0.0
    failing: list[int] = field(default_factory=list)
    objects: list[ObjectFault] = field(default_factory=list)
    denied: dict[str, set[str]] = field(default_factory=dict)
    cut_after: int = 0
    cuts: int = 0
    corrupt: int = 0
    shuffle: bool = False
    mute: int = 0

    def fail_next(self, count: int, status: int = 503) -> None:
        """The next `count` requests are answered with `status` and nothing else."""
        self.failing += [status] * count

    def fail_objects(self, pattern: str, status: int, times: int | None = None) -> None:
        """Deleting or restoring an object whose name matches fails, alone or inside a batch."""
        self.objects.append(ObjectFault(pattern, status, times))

    def forbid(self, bucket: str) -> None:
        """The bucket is somebody else's: every permission is missing."""
        self.denied[bucket] = set(PERMISSIONS)

    def deny(self, bucket: str, permission: str) -> None:
        self.denied.setdefault(bucket, set()).add(permission)

    def cut_downloads(self, after: int, times: int = 1) -> None:
        self.cut_after, self.cuts = after, times

    def heal(self) -> None:
        self.__init__()  # type: ignore[misc]

    def object_status(self, path: str) -> int | None:
        """The status with which changing `path` fails now, None where it does not."""
        for fault in self.objects:
            if fnmatch.fnmatchcase(path, fault.pattern) and fault.times != 0:
                if fault.times is not None:
                    fault.times -= 1
                return fault.status
        return None
