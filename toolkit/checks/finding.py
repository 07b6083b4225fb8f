"""What a check found: one frozen value, the same for the terminal app, the commands and the record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Status(StrEnum):
    """ok: as it should be; warn: works, but look at it; fail: wrong; unknown: could not be answered;
    skipped: not asked, because something it depends on is broken or not configured."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"
    UNKNOWN = "unknown"
    SKIPPED = "skipped"

    @property
    def sign(self) -> str:
        """One character that says it without colour."""
        return {"ok": "✓", "warn": "!", "fail": "✗", "unknown": "?", "skipped": "-"}[self.value]


@dataclass(frozen=True, slots=True)
class Finding:
    """The answer to one check. `seconds` is how long the answer took; `hint` is the next step, where there is one.

    `evidence` is text for people, a line each; `facts` are the same for programs (what JSON can hold), under the names
    that the check's docstring gives: the diagnosis and runbooks go by them.
    """

    name: str
    status: Status
    summary: str
    hint: str = ""
    seconds: float = 0.0
    evidence: tuple[str, ...] = ()
    by_hand: tuple[str, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict, compare=False, hash=False)

    @property
    def well(self) -> bool:
        return self.status in (Status.OK, Status.WARN)
